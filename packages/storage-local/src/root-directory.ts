import type { Stats } from 'node:fs'
import { lstat, realpath, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { BackupError, checkKey } from '@holdfast/core'
import { makeDirectory, syncDirectory } from './directory.js'
import { explained, hasCode, toStorageError } from './storage-error.js'
import { isTempName } from './temp-name.js'

/** Where an object lies. */
export interface Place {
  /** Real path of the storage's root. */
  readonly root: string
  /** Real path of the directory that holds the object. */
  readonly directory: string
  readonly path: string
}

/** The directory that a storage may not leave. */
export interface RootDirectory {
  /** Absolute path as configured. */
  readonly path: string
  /** Its real path, or the one configured while it is still to be made. The root itself may be a symbolic link. */
  real(): Promise<string>
  /** Where the object of a key lies or would lie. Looks at nothing but the root. */
  place(key: string): Promise<Place>
  /** The same for an object that is to be put: the root is made if it has to be. */
  placeToPut(key: string): Promise<Place>
}

/**
 * @param create - Whether the directory is made for the first object. Made once only: if it vanishes after it was seen,
 *   that is an error and not an empty storage. Reading makes nothing.
 */
export function rootDirectory(configured: string, create: boolean): RootDirectory {
  const path = resolve(configured)
  let wasSeen = !create
  let made: Promise<void> | undefined

  const real = async (): Promise<string> => {
    if (!wasSeen && (await isMissing(path))) return path
    const found = await realRoot(path)
    wasSeen = true
    return found
  }

  const make = async (): Promise<void> => {
    if (wasSeen) return
    made ??= makeRoot(path)
    await made.catch((error: unknown) => {
      made = undefined // so that a later call tries again
      throw error
    })
  }

  const place = async (key: string): Promise<Place> => {
    checkOwnKey(key)
    const root = await real()
    const objectPath = join(root, key)
    return { root, directory: dirname(objectPath), path: objectPath }
  }

  return {
    path,
    real,
    place,
    async placeToPut(key) {
      checkOwnKey(key)
      await make()
      return await place(key)
    },
  }
}

function checkOwnKey(key: string): void {
  checkKey(key)
  if (isTempName(key.slice(key.lastIndexOf('/') + 1))) {
    throw new BackupError('invalid-key', { message: `The object key ${key} is kept for unfinished files` })
  }
}

async function realRoot(path: string): Promise<string> {
  try {
    const real = await realpath(path)
    if ((await stat(real)).isDirectory()) return real
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw toStorageError(error, `Opening the directory ${path}`)
    throw new BackupError('storage-config-invalid', {
      message: `There is no directory ${path}`,
      hint: 'Mount the volume, correct the path, or make the directory.',
      cause: error,
    })
  }
  throw new BackupError('storage-config-invalid', {
    message: `${path} is not a directory`,
    hint: 'Correct `path`: a local storage is a directory.',
  })
}

/** A link that leads nowhere is not missing: what it leads to is. */
async function isMissing(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return false
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true
    if (hasCode(error, 'ENOTDIR')) return false // told by `realRoot`
    throw toStorageError(error, `Opening the directory ${path}`)
  }
}

/** Makes the root and what is missing above it, durably. */
async function makeRoot(path: string): Promise<void> {
  if (await isMissing(path)) await makeWithParents(path)
}

/** @param hasParent - Some file systems (`/proc`) say that the parent is missing when it is not: once is enough. */
async function makeWithParents(path: string, hasParent: boolean = false): Promise<void> {
  const parent = dirname(path)
  try {
    await makeDirectory(path)
    await syncDirectory(parent)
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || parent === path || hasParent)
      throw toStorageError(error, `Making the directory ${path}`)
    await makeWithParents(parent)
    await makeWithParents(path, true)
  }
}

/**
 * Makes the directory of a place and what is missing between the root and it. A symbolic link on the way is refused.
 *
 * @throws {BackupError} `invalid-key` where an object is in the way, `storage-denied` where a link is.
 */
export async function makeDirectories({ root, directory }: Place): Promise<void> {
  for (const ancestor of between(root, directory)) {
    if (await explained(`Making the directory ${ancestor}`, makeDirectory(ancestor))) continue
    const found = await lstatIfPresent(ancestor)
    if (found?.isSymbolicLink()) throw linkInTheWay(ancestor)
    if (found && !found.isDirectory()) {
      throw new BackupError('invalid-key', {
        message: `No object can be stored below ${ancestor}, which is not a directory`,
      })
    }
  }
}

/** Makes the names of everything from the directory of a place up to the root durable. */
export async function syncDirectories({ root, directory }: Place): Promise<void> {
  for (const ancestor of [root, ...between(root, directory)].reverse()) await syncDirectory(ancestor)
}

/** Removes the directory of a place and those above it, below the root, as long as they are empty. */
export async function pruneDirectories({ root, directory }: Place): Promise<void> {
  for (const ancestor of between(root, directory).reverse()) {
    try {
      await rmdir(ancestor)
    } catch {
      return // not empty: in use
    }
  }
}

/**
 * Refuses a place that is reached through a symbolic link. To be called once the file is open or known, so that
 * what was checked is what is used.
 */
export async function refuseLinks({ directory }: Place): Promise<void> {
  const real = await explained(`Looking at ${directory}`, realpath(directory))
  if (real !== directory) throw linkInTheWay(directory)
}

/** What lies at `path` itself, links not followed; `undefined` if nothing does. */
export async function lstatIfPresent(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw toStorageError(error, `Looking at ${path}`)
  }
}

/** The directories below `root` down to `directory`, outermost first. */
function between(root: string, directory: string): string[] {
  const names = directory.slice(root.length).split(sep).filter(Boolean)
  return names.map((_, index) => join(root, ...names.slice(0, index + 1)))
}

function linkInTheWay(path: string): BackupError {
  return new BackupError('storage-denied', {
    message: `${path} is or leads through a symbolic link, which a storage does not follow`,
    hint: 'Replace the link by a directory. Only the root of a storage may be a link.',
  })
}

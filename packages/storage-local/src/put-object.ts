import { constants } from 'node:fs'
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, type ByteStream, type StoredObject } from '@holdfast/core'
import {
  lstatIfPresent,
  makeDirectories,
  type Place,
  pruneDirectories,
  refuseLinks,
  syncDirectories,
} from './root-directory.js'
import { explained, hasCode, toStorageError } from './storage-error.js'
import { newTempName } from './temp-name.js'
import { writeBody } from './write-body.js'

/** What a put needs to know beside its place and body. */
export interface PutRequest {
  readonly key: string
  readonly ifAbsent: boolean
  readonly signal: AbortSignal
  /** Paths of temp files that are in use by this process. */
  readonly inUse: Set<string>
}

/**
 * Temp file beside the target, write, fsync, link or rename, fsync of the directories: after a crash at any moment
 * there is the whole object or none, and at most a temp file to sweep.
 *
 * An fsync that fails is never tried again: the kernel may have dropped the pages and report success the next time.
 */
export async function putObject(place: Place, body: ByteStream, request: PutRequest): Promise<StoredObject> {
  const { key, ifAbsent, signal, inUse } = request
  if (ifAbsent && (await lstatIfPresent(place.path))) throw alreadyExists(key)
  const temp = await openTemp(place)
  inUse.add(temp.path)
  try {
    await refuseLinks(place)
    const stored = await writeTemp(temp, body, key)
    signal.throwIfAborted()
    await publish(temp.path, place, key, ifAbsent)
    return stored
  } finally {
    await temp.file.close().catch(() => {})
    await unlink(temp.path).catch(() => {}) // gone after a rename
    inUse.delete(temp.path)
    await pruneDirectories(place) // does nothing once the object is there
  }
}

interface TempFile {
  readonly path: string
  readonly file: FileHandle
}

/** Opens a temp file, and makes its directory. Another process may remove that directory, empty, in between. */
async function openTemp(place: Place): Promise<TempFile> {
  const path = join(place.directory, newTempName())
  for (let attempt = 1; ; attempt++) {
    try {
      await makeDirectories(place)
      const file = await open(
        path,
        constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW,
        0o600,
      )
      await file.chmod(0o600) // whatever the umask and default access lists
      return { path, file }
    } catch (error) {
      const raced = hasCode(error, 'ENOENT') || hasCode((error as Error).cause, 'ENOENT')
      if (!raced || attempt === 100) throw toStorageError(error, `Opening a file in ${place.directory}`)
    }
  }
}

async function writeTemp({ file, path }: TempFile, body: ByteStream, key: string): Promise<StoredObject> {
  const told = <Result>(work: Promise<Result>): Promise<Result> => explained(`Writing ${key} to ${path}`, work)
  const written = await writeBody(file, body, told)
  await told(file.sync())
  const { size, mtime } = await told(file.stat())
  if (size !== written) {
    throw new BackupError('unavailable', {
      message: `Writing ${key} failed: the file holds ${size} bytes of the ${written} that were written`,
      hint: 'Another program works in this directory, or the file system is damaged.',
    })
  }
  return { key, size, modifiedAt: mtime }
}

/** Makes the file visible, and its name durable. What cannot be made durable is taken back. */
async function publish(temp: string, place: Place, key: string, ifAbsent: boolean): Promise<void> {
  const doing = `Publishing ${key} in ${place.directory}`
  const replaces = !ifAbsent && (await lstatIfPresent(place.path)) !== undefined
  await explained(doing, ifAbsent ? linkExclusively(temp, place.path, key) : rename(temp, place.path))
  try {
    await syncDirectories(place)
  } catch (error) {
    if (!replaces) await unlink(place.path).catch(() => {})
    throw toStorageError(error, doing)
  }
}

/** A hard link refuses a name that is taken, which a rename does not. */
async function linkExclusively(temp: string, path: string, key: string): Promise<void> {
  try {
    await link(temp, path)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw alreadyExists(key)
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error
    // FAT and some network file systems have no hard links. Keys are unique, so the gap between look and rename is bearable.
    if (await lstatIfPresent(path)) throw alreadyExists(key)
    await rename(temp, path)
  }
}

function alreadyExists(key: string): BackupError {
  return new BackupError('already-exists', { message: `There is already an object ${key}` })
}

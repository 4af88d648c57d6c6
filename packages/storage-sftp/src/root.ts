import { BackupError, checkKey } from '@holdfast/core'
import { explained, hasStatus, status, toStorageError } from './errors.js'
import { lstatIfPresent, realPathIfPresent } from './files.js'
import { displayOf, type ResolvedSftpOptions } from './options.js'
import type { Session } from './session.js'

/** Where an object is on the server. */
export interface Place {
  readonly key: string
  readonly path: string
  readonly directory: string
}

/** @throws {BackupError} `invalid-key`: no key leads out of the root. */
export function placeOf({ root }: Session, key: string): Place {
  checkKey(key)
  const path = `${root}/${key}`
  return { key, path, directory: path.slice(0, path.lastIndexOf('/')) }
}

/** Finds the directory of a storage, and makes it where that is allowed. Links on the way to it are followed. */
export async function openRoot(
  call: Session['call'],
  options: ResolvedSftpOptions,
  signal: AbortSignal,
): Promise<string> {
  const doing = `Looking at ${displayOf(options)}`
  const home = options.path.startsWith('/') ? '' : await call<string>((sftp, done) => sftp.realpath('.', done), signal)
  const path = `${home === '/' ? '' : home}/${options.path}`.replace(/\/+/g, '/').replace(/\/+$/, '')
  const found = await explained(doing, isDirectory(call, path, signal))
  if (found === false) throw misplaced(`${displayOf(options)} is not a directory`, 'Name another one.')
  if (found === undefined) {
    if (!options.create) throw misplaced(`${displayOf(options)} does not exist`, 'Make it, or mount its volume.')
    const names = path.split('/').filter(Boolean)
    for (const index of names.keys()) await makeDirectory(call, `/${names.slice(0, index + 1).join('/')}`, signal)
  }
  const real = await explained(doing, realPathIfPresent(call, path, signal))
  return (real ?? path).replace(/\/+$/, '')
}

/** Makes the directories from the root down to that of a place, with mode 0700. */
export async function makeDirectories(
  { root, call }: Session,
  { directory }: Pick<Place, 'directory'>,
  signal: AbortSignal,
): Promise<void> {
  for (const ancestor of between(root, directory)) await makeDirectory(call, ancestor, signal)
}

/** Removes the directory of a place and those above it, below the root, as long as they are empty. */
export async function pruneDirectories(
  { root, call }: Session,
  { directory }: Pick<Place, 'directory'>,
): Promise<void> {
  for (const ancestor of between(root, directory).reverse()) {
    try {
      await call<void>((sftp, done) => sftp.rmdir(ancestor, done))
    } catch {
      return // not empty: in use
    }
  }
}

/** The directories below `root` down to `directory`, outermost first. */
export function between(root: string, directory: string): string[] {
  const names = directory.slice(root.length).split('/').filter(Boolean)
  return names.map((_, index) => `${root}/${names.slice(0, index + 1).join('/')}`)
}

/**
 * Whether a directory below the root is there, reached without a link. OpenSSH says so, too, of one that is missing
 * in a directory that is not: what is opened next tells.
 *
 * @throws {BackupError} `storage-denied` for a link: what lies behind it is not of this storage.
 */
export async function isReally(call: Session['call'], directory: string, signal?: AbortSignal): Promise<boolean> {
  const real = await explained(`Looking at ${directory}`, realPathIfPresent(call, directory, signal))
  if (real === undefined) return false
  if (real === directory) return true
  throw new BackupError('storage-denied', {
    message: `${directory} leads through a symbolic link, which a storage does not follow`,
    hint: 'Replace the link by a directory. Only the root of a storage may be a link.',
  })
}

async function makeDirectory(call: Session['call'], path: string, signal: AbortSignal): Promise<void> {
  try {
    await call<void>((sftp, done) => sftp.mkdir(path, { mode: 0o700 }, done), signal)
  } catch (error) {
    if (!hasStatus(error, status.failure, status.alreadyExists, status.permissionDenied)) {
      throw hasStatus(error) || typeof (error as { code?: unknown }).code === 'number'
        ? toStorageError(error, `Making the directory ${path}`)
        : error
    }
    const found = await isDirectory(call, path, signal)
    if (found) return
    if (found === false) {
      throw new BackupError('invalid-key', {
        message: `No object can be stored below ${path}, which is not a directory`,
      })
    }
    throw toStorageError(error, `Making the directory ${path}`)
  }
  // Some servers do not heed the mode of a new directory; some do not let it be changed.
  await call<void>((sftp, done) => sftp.chmod(path, 0o700, done), signal).catch((error: unknown) => {
    if (typeof (error as { code?: unknown }).code !== 'number') throw error
  })
}

/** Whether a directory, or a link to one, is at `path`; `undefined` if nothing is. */
async function isDirectory(call: Session['call'], path: string, signal: AbortSignal): Promise<boolean | undefined> {
  const found = await lstatIfPresent(call, path, signal)
  if (!found?.isSymbolicLink()) return found?.isDirectory()
  try {
    const target = await call<import('ssh2').Stats>((sftp, done) => sftp.stat(path, done), signal)
    return target.isDirectory()
  } catch (error) {
    if (hasStatus(error, status.noSuchFile)) return false // it dangles
    throw error
  }
}

function misplaced(message: string, hint: string): BackupError {
  return new BackupError('storage-config-invalid', { message, hint })
}

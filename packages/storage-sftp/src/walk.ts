import { BackupError } from '@holdfast/core'
import type { FileEntryWithStats } from 'ssh2'
import { explained, hasStatus, status } from './errors.js'
import { closeHandle, lstatIfPresent, openDirectory, readEntries } from './files.js'
import { isReally } from './root.js'
import type { Session } from './session.js'

/** A file below the root. */
export interface FoundFile {
  /** Relative to the root, `/`-separated. */
  readonly key: string
  readonly path: string
  readonly size: number
  readonly modifiedAt: Date
}

/**
 * All files of the root whose key begins with `prefix`, walked while they are read. Links, sockets and the like are
 * passed over; a directory that cannot be read throws, and so does a root that is gone.
 */
export async function* walk(session: Session, prefix: string, signal: AbortSignal): AsyncGenerator<FoundFile> {
  const cut = prefix.lastIndexOf('/')
  const folder = prefix.slice(0, Math.max(cut, 0))
  if (cut === 0 || !isPlain(folder)) return
  if (!(await explained(`Listing ${session.root}`, lstatIfPresent(session.call, session.root || '/', signal)))) {
    throw new BackupError('storage-config-invalid', {
      message: `The directory ${session.root} of the SFTP storage is gone`,
      hint: 'Mount its volume, or make it anew.',
    })
  }
  if (folder === '') return yield* walkDirectory(session, '', prefix, signal)
  if (!(await isReached(session, `${session.root}/${folder}`, signal))) return
  yield* walkDirectory(session, `${folder}/`, prefix, signal)
}

async function* walkDirectory(
  session: Session,
  keyPrefix: string,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<FoundFile> {
  const folders: string[] = []
  for await (const { filename, attrs } of entriesOf(session, keyPrefix, signal)) {
    const key = keyPrefix + filename
    if (attrs.isDirectory() && (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`))) folders.push(key)
    if (!attrs.isFile() || !key.startsWith(prefix)) continue
    yield { key, path: `${session.root}/${key}`, size: attrs.size, modifiedAt: new Date(attrs.mtime * 1000) }
  }
  for (const folder of folders) yield* walkDirectory(session, `${folder}/`, prefix, signal)
}

async function* entriesOf(
  session: Session,
  keyPrefix: string,
  signal: AbortSignal,
): AsyncGenerator<FileEntryWithStats> {
  const { call } = session
  const directory = `${session.root}/${keyPrefix}`.replace(/(?<=.)\/$/, '')
  let handle: Buffer
  try {
    handle = await openDirectory(call, directory, signal)
  } catch (error) {
    if (keyPrefix !== '' && hasStatus(error, status.noSuchFile)) return // removed meanwhile, or a prefix of nothing
    if (keyPrefix === 'lost+found/' && hasStatus(error, status.permissionDenied)) return // a fresh volume has one, for root alone
    return await explained(`Listing ${directory}`, Promise.reject(error))
  }
  try {
    for (;;) {
      const entries = await explained(`Listing ${directory}`, readEntries(call, handle, signal))
      if (!entries) return
      yield* entries
    }
  } finally {
    closeHandle(call, handle).catch(() => {})
  }
}

function isPlain(folder: string): boolean {
  return folder === '' || (!folder.includes('\0') && folder.split('/').every((name) => !['', '.', '..'].includes(name)))
}

/** Whether a directory is there and reached without a link. What lies behind a link is not of this storage. */
async function isReached(session: Session, directory: string, signal: AbortSignal): Promise<boolean> {
  try {
    return await isReally(session.call, directory, signal)
  } catch (error) {
    if (error instanceof BackupError && error.code === 'storage-denied' && error.cause === undefined) return false
    throw error
  }
}

import type { Dirent } from 'node:fs'
import { opendir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, toStorageError } from './storage-error.js'

/** A file below a directory. */
export interface FoundFile {
  /** Relative to the root, `/`-separated. */
  readonly key: string
  readonly path: string
}

/** Entries that are looked at in one go. */
const batchSize = 64

/**
 * All files of `root` whose key begins with `prefix`, in batches, walked while they are read. Links, sockets and the
 * like are passed over; a directory that cannot be read throws.
 */
export async function* walk(root: string, prefix: string): AsyncGenerator<readonly FoundFile[]> {
  const cut = prefix.lastIndexOf('/')
  const folder = prefix.slice(0, Math.max(cut, 0))
  if (cut === 0 || !isPlain(folder)) return
  const start = join(root, folder)
  if (await isReally(start)) yield* walkDirectory(start, folder === '' ? '' : `${folder}/`, prefix)
}

async function* walkDirectory(
  directory: string,
  keyPrefix: string,
  prefix: string,
): AsyncGenerator<readonly FoundFile[]> {
  let batch: FoundFile[] = []
  const folders: string[] = []
  for await (const entry of entriesOf(directory, keyPrefix)) {
    const key = keyPrefix + entry.name
    if (entry.isDirectory() && (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`))) folders.push(entry.name)
    if (!entry.isFile() || !key.startsWith(prefix)) continue
    batch.push({ key, path: join(directory, entry.name) })
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
  for (const name of folders) yield* walkDirectory(join(directory, name), `${keyPrefix}${name}/`, prefix)
}

async function* entriesOf(directory: string, keyPrefix: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(directory, { bufferSize: batchSize })
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return // removed meanwhile, or a prefix of nothing
    if (keyPrefix === 'lost+found/' && hasCode(error, 'EACCES')) return // a fresh ext4 volume has one, for root alone
    throw toStorageError(error, `Listing ${directory}`)
  }
}

function isPlain(folder: string): boolean {
  return folder === '' || (!folder.includes('\0') && folder.split('/').every((name) => !['', '.', '..'].includes(name)))
}

/** Whether `path` exists and is reached without a link. What lies behind a link is not of this storage. */
async function isReally(path: string): Promise<boolean> {
  try {
    return (await realpath(path)) === path
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG')) return false
    throw toStorageError(error, `Listing ${path}`)
  }
}

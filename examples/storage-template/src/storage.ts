import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  BackupError,
  type ByteRange,
  type ByteStream,
  checkKey,
  definePlugin,
  MiB,
  type Storage,
  type StoragePlugin,
  withBody,
} from '@holdfast/core'
import * as z from 'zod'
import { put, unfinished } from './put.js'
import { explain, fileOf, headerOf, keyIn, openIfPresent } from './shelf-file.js'

/** Options of the storage, as a user may write them. */
export interface ShelfOptions {
  /** The directory that is the shelf. */
  readonly path: string
  /** What the storage is called. Default: its URL. */
  readonly name?: string | undefined
}

const options: z.ZodType<ShelfOptions, ShelfOptions> = z.strictObject({
  path: z.string().min(1).describe('The directory that is the shelf'),
  name: z.string().min(1).optional().describe('What the storage is called'),
})

/** A storage. Making one asks nothing of the disk or network: the first call does. */
export function shelf({ path, name }: ShelfOptions): Storage {
  const directory = resolve(path)
  const display = `shelf:${directory}` // never a password
  return {
    name: name ?? display,
    display,
    isLocal: true, // leave it out where reading costs network

    // `withBody` keeps two promises of the contract: an abort does not wait for a body that hangs, and a body that is
    // not read to its end is told so.
    put: (key, body, putOptions, { signal }) =>
      withBody(body, signal, (chunks) => put(directory, key, chunks, putOptions, signal)),

    get: (key, range, { signal }) => read(directory, key, range, signal),

    async stat(key, { signal }) {
      checkKey(key) // in every method, before anything else
      signal.throwIfAborted()
      try {
        await using file = await openIfPresent(fileOf(directory, key))
        if (!file) return undefined
        const { size, mtime } = await file.stat()
        return { key, size: size - headerOf(key).byteLength, modifiedAt: mtime }
      } catch (error) {
        throw explain(error, `Looking at ${key}`)
      }
    },

    async *list(prefix, { signal }) {
      signal.throwIfAborted()
      for (const entry of await filesOf(directory)) {
        await using file = await openIfPresent(join(directory, entry))
        if (!file) continue // deleted meanwhile
        const key = await keyIn(file)
        const { size, mtime } = await file.stat()
        if (key.startsWith(prefix)) yield { key, size: size - headerOf(key).byteLength, modifiedAt: mtime }
        signal.throwIfAborted()
      }
    },

    async delete(key, { signal }) {
      checkKey(key)
      signal.throwIfAborted()
      try {
        await rm(fileOf(directory, key), { force: true }) // an absent key is success
      } catch (error) {
        throw explain(error, `Deleting ${key}`)
      }
    },

    // Optional, and left out: freeSpace, sweepUnfinished, close.
  }
}

/** Opens on the first read. A normal end means complete; short data throws. */
async function* read(directory: string, key: string, range: ByteRange | undefined, signal: AbortSignal): ByteStream {
  checkKey(key)
  signal.throwIfAborted()
  await using file = await openIfPresent(fileOf(directory, key))
  if (!file) throw new BackupError('not-found', { message: `There is no object ${key} in ${directory}` })
  const header = headerOf(key).byteLength
  const { size } = await file.stat()
  const end = Math.min(range?.end === undefined ? size : header + range.end + 1, size)
  for (let at = header + (range?.start ?? 0); at < end; ) {
    const block = Buffer.alloc(Math.min(MiB, end - at))
    const { bytesRead } = await file.read(block, 0, block.byteLength, at)
    if (bytesRead === 0) throw new BackupError('corrupt', { message: `The file of ${key} became shorter` })
    at += bytesRead
    yield block.subarray(0, bytesRead)
    signal.throwIfAborted()
  }
}

/** An error must never look like an empty list: only a shelf that nobody has put anything on yet is one. */
async function filesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => !name.startsWith(unfinished))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw explain(error, `Listing ${directory}`)
  }
}

/** The storage for programs that read configuration: `shelf:./backups`. */
export const shelfPlugin: StoragePlugin<typeof options> = definePlugin({
  kind: 'storage',
  id: 'shelf',
  title: 'Shelf',
  schemes: ['shelf'],
  options,
  fromUrl: (url): ShelfOptions => ({ path: url.slice('shelf:'.length) }),
  create: shelf,
})

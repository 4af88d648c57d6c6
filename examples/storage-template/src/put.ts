import { randomUUID } from 'node:crypto'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, type ByteStream, checkKey, type PutOptions, type StoredObject } from '@holdfast/core'
import { explain, fileOf, headerOf } from './shelf-file.js'

/** How names of unfinished files begin: no list shows them. */
export const unfinished = 'unfinished-'

/**
 * Nobody sees the object before it is whole and on disk: it is written under another name, and renamed at the end.
 * A network storage has a way of its own, such as a multipart upload that is completed last.
 */
export async function put(
  directory: string,
  key: string,
  body: ByteStream,
  { ifAbsent }: PutOptions,
  signal: AbortSignal,
): Promise<StoredObject> {
  checkKey(key)
  const temp = join(directory, unfinished + randomUUID())
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const { size, modifiedAt } = await write(temp, key, body)
    signal.throwIfAborted() // until here; what is visible stays
    await (ifAbsent ? link(temp, fileOf(directory, key)) : rename(temp, fileOf(directory, key)))
    return { key, size, modifiedAt }
  } catch (error) {
    if (ifAbsent && (error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new BackupError('already-exists', { message: `There is already an object ${key}` })
    }
    throw explain(error, `Writing ${key}`)
  } finally {
    await rm(temp, { force: true })
  }
}

/** One chunk at a time: the length is not known, and memory does not grow with it. */
async function write(path: string, key: string, body: ByteStream): Promise<{ size: number; modifiedAt: Date }> {
  const header = headerOf(key)
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(header)
  for await (const chunk of body) await file.writeFile(chunk)
  await file.sync()
  const { size, mtime } = await file.stat()
  return { size: size - header.byteLength, modifiedAt: mtime }
}

import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError } from '@holdfast/core'

/** Where the toy keeps an object: a file named by the hash of its key. The key itself is the file's first line. */
export function fileOf(directory: string, key: string): string {
  return join(directory, createHash('sha256').update(key).digest('hex'))
}

/** What comes before the bytes of an object. */
export function headerOf(key: string): Buffer {
  return Buffer.from(`${JSON.stringify(key)}\n`)
}

/** The key in the first line of a file. No key is longer than 512 bytes, which JSON makes six times as many at most. */
export async function keyIn(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0)
  const [line = ''] = buffer.toString('utf8', 0, bytesRead).split('\n', 1)
  return JSON.parse(line) as string
}

/** `undefined` where there is no such file. */
export async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** What the user reads, and the program acts on: one of the closed list of codes, in place of the system's. */
export function explain(error: unknown, doing: string): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (error instanceof BackupError || typeof code !== 'string') return error // an abort, or an error of the body
  const message = `${doing} failed (${code})`
  if (code === 'ENOSPC') return new BackupError('storage-full', { message, hint: 'Make room.', cause: error })
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new BackupError('storage-denied', { message, hint: 'Look at the owner of the directory.', cause: error })
  }
  return new BackupError('unavailable', { message, retryable: true, cause: error })
}

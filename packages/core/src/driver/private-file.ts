import { createWriteStream, rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { BackupError, messageOf } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { ownPrefix, sweepOrphans } from './private-owner.js'

/** A file that only this user may read, alone in a directory that only this user may enter. Disposing removes both. */
export interface PrivateFile extends AsyncDisposable {
  readonly path: string
}

/**
 * Writes a small private file: a passfile, a list of entries.
 *
 * @throws {BackupError} `storage-full`, `config-invalid` when nothing can be written in the temp directory.
 */
export async function privateFile(name: string, content: string): Promise<PrivateFile> {
  return await inPrivateDirectory(name, (path) => writeFile(path, content, { mode: 0o600, flag: 'wx' }))
}

/**
 * Writes a stream into a private file, for programs that must seek.
 *
 * @throws {BackupError} `storage-full` when the temp directory has no room.
 */
export async function spooledFile(name: string, source: ByteStream, ctx: RunContext): Promise<PrivateFile> {
  return await inPrivateDirectory(name, async (path) => {
    try {
      const file = createWriteStream(path, { mode: 0o600, flags: 'wx' })
      await pipeline(source, file, { signal: ctx.signal })
    } catch (error) {
      ctx.signal.throwIfAborted()
      throw isFull(error) ? noRoom('for the dump', tmpdir(), 'the whole dump', error) : error
    }
  })
}

/**
 * A directory that only this user may enter, for the files of a program. Disposing removes it with all that is in it.
 *
 * @param parent - Where it is made. Default: the system's directory for temporary files.
 */
export async function privateDirectory(parent: string = tmpdir()): Promise<PrivateFile> {
  sweepOnce(parent)
  // 0700 by definition.
  const path = await mkdtemp(join(parent, ownPrefix())).catch((error) => {
    throw notWritable(parent, error)
  })
  const forget = removeOnExit(path)
  const remove = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true })
    forget()
  }
  return { path, [Symbol.asyncDispose]: remove }
}

async function inPrivateDirectory(name: string, write: (path: string) => Promise<void>): Promise<PrivateFile> {
  const directory = await privateDirectory()
  const path = join(directory.path, name)
  try {
    await write(path)
  } catch (error) {
    await directory[Symbol.asyncDispose]()
    throw isFull(error) ? notWritable(tmpdir(), error) : error
  }
  return { ...directory, path }
}

const fullCodes: readonly unknown[] = ['ENOSPC', 'EDQUOT']

const isFull = (error: unknown): boolean => error instanceof Error && 'code' in error && fullCodes.includes(error.code)

function noRoom(what: string, directory: string, needed: string, cause: unknown): BackupError {
  return new BackupError('storage-full', {
    message: `There is no room ${what} in ${directory}`,
    hint: `Set TMPDIR to a directory with room for ${needed}.`,
    cause,
  })
}

function notWritable(directory: string, cause: unknown): BackupError {
  if (isFull(cause)) return noRoom('for a temporary file', directory, 'temporary files', cause)
  return new BackupError('config-invalid', {
    message: `Nothing can be written in ${directory}: ${messageOf(cause)}`,
    hint: 'Set TMPDIR to a directory that this user can write in.',
    cause,
  })
}

const swept = new Set<string>()

/** A process that was killed could not remove its files; the next one does. */
function sweepOnce(parent: string): void {
  if (swept.has(parent)) return
  swept.add(parent)
  sweepOrphans(parent)
}

const live = new Set<string>()

/** Removes a directory when this process exits by itself, until the returned function is called. */
function removeOnExit(directory: string): () => void {
  if (live.size === 0) process.on('exit', removeLive)
  live.add(directory)
  return () => {
    live.delete(directory)
    if (live.size === 0) process.off('exit', removeLive)
  }
}

function removeLive(): void {
  for (const directory of live) rmSync(directory, { recursive: true, force: true })
}

import { createWriteStream, rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { ownPrefix, sweepOrphans } from './private-owner.js'

/** A file that only this user may read, alone in a directory that only this user may enter. Disposing removes both. */
export interface PrivateFile extends AsyncDisposable {
  readonly path: string
}

/** Writes a small private file: a passfile, a list of entries. */
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
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      throw new BackupError('storage-full', {
        message: `There is no room for the dump in ${tmpdir()}`,
        hint: 'Set TMPDIR to a directory with room for the whole dump.',
        cause: error,
      })
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
  const path = await mkdtemp(join(parent, ownPrefix())) // 0700 by definition
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
    throw error
  }
  return { ...directory, path }
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

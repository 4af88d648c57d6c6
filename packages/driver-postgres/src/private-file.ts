import { createWriteStream, rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { BackupError, type ByteStream, type RunContext } from '@holdfast/core'
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
        hint: 'Set TMPDIR to a directory with room for the whole dump, or restore without jobs, which needs no file.',
        cause: error,
      })
    }
  })
}

async function inPrivateDirectory(name: string, write: (path: string) => Promise<void>): Promise<PrivateFile> {
  sweepOnce()
  const directory = await mkdtemp(join(tmpdir(), ownPrefix())) // 0700 by definition
  const forget = removeOnExit(directory)
  const remove = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true })
    forget()
  }
  const path = join(directory, name)
  try {
    await write(path)
  } catch (error) {
    await remove()
    throw error
  }
  return { path, [Symbol.asyncDispose]: remove }
}

let isSwept = false

/** A process that was killed could not remove its files; the next one does. */
function sweepOnce(): void {
  if (isSwept) return
  isSwept = true
  sweepOrphans(tmpdir())
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

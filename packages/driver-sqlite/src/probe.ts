import { stat } from 'node:fs/promises'
import { BackupError, type RunContext, type ServerInfo } from '@holdfast/core'
import type { Look } from './program/look.js'
import { runTask } from './run-task.js'

/** {@link Driver.probe} for SQLite. Without a file there is nobody to ask but the library. */
export async function probe(path: string, ctx: RunContext): Promise<ServerInfo> {
  const found = await lookAt(path, ctx)
  if (!found) return { version: await runTask('version', [], ctx), superuser: true }
  const { version, sizeBytes, encoding, tables, empty } = found
  const rest = { extensions: [], unreadable: [], connections: 0 }
  return { version, superuser: true, database: { sizeBytes, encoding, tables, empty, ...rest } }
}

/**
 * What a database file says of itself; `undefined` where there is none. The file is looked at by the program alone:
 * a process that opens and closes a database without SQLite drops the locks that it holds on it.
 */
export async function lookAt(path: string, ctx: RunContext): Promise<FoundFile | undefined> {
  ctx.signal.throwIfAborted()
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new BackupError('source-denied', { message: `${path} cannot be read: ${error.message}`, cause: error })
  })
  if (!stats) return undefined
  if (!stats.isFile())
    throw new BackupError('source-denied', { message: `${path} is not a file`, hint: 'Name the file of the database.' })
  return { ...(await runTask('look', [path], ctx)), names: stats.nlink }
}

/** What there is to know of a database file. */
export interface FoundFile extends Look {
  /** How many names it has: hard links. */
  readonly names: number
}

/** What SQLite keeps beside a file goes by the name under which it was opened: https://sqlite.org/howtocorrupt.html#multiple_links_to_the_same_file */
export function nameWarnings(path: string, found: FoundFile | undefined): readonly string[] {
  if (found === undefined || found.names < 2) return []
  return [
    `${path} has ${found.names} names (hard links). SQLite knows nothing of what a program that opens it under another one has not yet written into the file, and may damage it; a restore changes it under all of them`,
  ]
}

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
export async function lookAt(path: string, ctx: RunContext): Promise<Look | undefined> {
  ctx.signal.throwIfAborted()
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new BackupError('source-denied', { message: `${path} cannot be read: ${error.message}`, cause: error })
  })
  if (!stats) return undefined
  if (!stats.isFile())
    throw new BackupError('source-denied', { message: `${path} is not a file`, hint: 'Name the file of the database.' })
  return await runTask('look', [path], ctx)
}

import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  BackupError,
  type ByteStream,
  type RestoreReport,
  type RestoreRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import { fillEmpty, overwrite } from './asides.js'
import type { BoundDatabase } from './bound-database.js'
import { bodyOf } from './content.js'
import {
  cannotMake,
  fileOf,
  isFull,
  notEmpty,
  removeDatabase,
  requireRoom,
  reserveBeside,
  takeName,
} from './database-files.js'
import { noTarget, requestProblems, requestWarnings, roomFor } from './preflight.js'
import { lookAt, nameWarnings } from './probe.js'
import { runTask } from './run-task.js'

/**
 * {@link Driver.restore} for SQLite. The dump is written to a file beside the target and checked there: until then the
 * target is not touched. It then becomes the target, where there is none, or goes into it in one transaction.
 */
export async function restore(
  bound: BoundDatabase,
  from: RestoreSource,
  request: RestoreRequest,
  ctx: RunContext,
): Promise<RestoreReport> {
  const [problem] = requestProblems(request)
  if (problem) throw new BackupError('restore-refused', problem)
  const path = await fileOf(bound.path)
  const target = await lookAt(path, ctx)
  if (!target && request.mode === 'clean') throw new BackupError('source-missing', noTarget(path))
  if (target && !target.empty && request.mode === 'create') throw notEmpty(path)
  // Beside the database itself: cleanup looks for what a kill leaves by that name.
  const live = bound.scratchOf ?? path
  await requireRoom(dirname(live), roomFor(from))
  const spooled = await reserveBeside(live, 'unfinished', ctx.clock.now(), { wal: target?.journalMode === 'wal' })
  try {
    await write(bodyOf(from, ctx), spooled, live, ctx)
    await runTask('check', [spooled], ctx, { failure: 'corrupt' })
    if (!target) await takeName(spooled, path)
    else if (bound.scratchOf !== undefined) await rename(spooled, path)
    else if (request.mode === 'create') await fillEmpty(spooled, { ...bound, path }, target, ctx)
    else await overwrite(spooled, { ...bound, path }, ctx)
  } finally {
    await removeDatabase(spooled)
  }
  const version = target?.version ?? (await runTask('version', [], ctx))
  const warnings = [...nameWarnings(path, target), ...requestWarnings(request)]
  return { created: !target, warnings, tools: { sqlite: version } }
}

/** Writes the dump to a private file beside a database; it is on disk when this returns. */
async function write(body: ByteStream, to: string, live: string, ctx: RunContext): Promise<void> {
  try {
    await pipeline(body, createWriteStream(to, { flags: 'wx', mode: 0o600, flush: true }), { signal: ctx.signal })
  } catch (error) {
    ctx.signal.throwIfAborted()
    throw isFull(error) ? cannotMake(live, error) : error
  }
}

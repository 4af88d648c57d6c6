import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  BackupError,
  type RestoreReport,
  type RestoreRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { bodyOf } from './content.js'
import { fileOf, makeBeside, notEmpty, removeDatabase, requireRoom, takeName } from './database-files.js'
import { lookAt } from './probe.js'
import { noTarget, requestProblems, roomFor } from './restore-rules.js'
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
  const spooled = await spoolBeside(bound.scratchOf ?? path, from, ctx)
  try {
    await runTask('check', [spooled], ctx, { failure: 'corrupt' })
    if (!target) await takeName(spooled, path)
    else if (bound.scratchOf !== undefined) await rename(spooled, path)
    else await overwrite(bound, spooled, path, ctx)
  } finally {
    await removeDatabase(spooled)
  }
  const version = target?.version ?? (await runTask('version', [], ctx))
  return { created: !target, warnings: [], tools: { sqlite: version } }
}

/** Through SQLite's locks: others may have the file open. */
async function overwrite(bound: BoundDatabase, spooled: string, path: string, ctx: RunContext): Promise<void> {
  await runTask('overwrite', [spooled, path, bound.patienceMs], ctx, { failure: 'restore-failed', writes: true })
}

/** Writes the dump to a private file beside the target, on disk when this returns. */
async function spoolBeside(path: string, from: RestoreSource, ctx: RunContext): Promise<string> {
  await requireRoom(dirname(path), roomFor(from))
  const spool = await makeBeside(path, ctx.clock.now())
  try {
    await pipeline(bodyOf(from, ctx), spool.file.createWriteStream({ flush: true }), { signal: ctx.signal })
    return spool.path
  } catch (error) {
    await removeDatabase(spool.path)
    ctx.signal.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    throw new BackupError('storage-full', {
      message: `There is no room for the dump in ${dirname(path)}`,
      hint: 'A restore takes a copy beside the database first. The target was not touched.',
      cause: error,
    })
  }
}

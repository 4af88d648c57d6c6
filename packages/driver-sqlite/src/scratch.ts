import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Driver, Replaced, RunContext, ScratchDatabase, ScratchOptions, SwapOptions } from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { fileOf, makeBeside, removeDatabase, requireRoom, reserveBeside, takeName } from './database-files.js'
import { lookAt } from './probe.js'
import { runTask } from './run-task.js'

/** {@link Driver.scratch} for SQLite: an empty file beside the database. */
export async function scratch(
  bound: BoundDatabase,
  bind: (bound: BoundDatabase) => Driver,
  { toSwap }: ScratchOptions,
  ctx: RunContext,
): Promise<ScratchDatabase> {
  const path = await fileOf(bound.path)
  const live = await lookAt(path, ctx)
  if (toSwap && live) await requireRoom(dirname(path), 2 * live.sizeBytes) // what is put aside, and SQLite's journal
  const made = await makeBeside(path, ctx.clock.now())
  await made.file.close()
  return {
    driver: bind({ ...bound, path: made.path, scratchOf: path }),
    swap: (how, swapCtx) => swapIn(made.path, { ...bound, path }, how, swapCtx),
    [Symbol.asyncDispose]: () => removeDatabase(made.path), // once swapped in, its content is in the live file
  }
}

/**
 * Puts the content of one file in the place of a live one's, which stays beside it as it was the moment before.
 *
 * @throws {BackupError} `target-in-use` when others hold the live file for longer than the patience.
 */
export async function swapIn(
  from: string,
  { path, patienceMs }: BoundDatabase,
  { keepUntil }: Pick<SwapOptions, 'keepUntil'>,
  ctx: RunContext,
): Promise<Replaced> {
  if (!(await lookAt(path, ctx))) {
    await takeName(from, path)
    return {}
  }
  const temporary = await makeBeside(path, ctx.clock.now())
  await temporary.file.close()
  const kept = await reserveBeside(path, 'replaced', ctx.clock.now(), keepUntil)
  const aside = { path: kept, temporary: temporary.path }
  try {
    await runTask('overwrite', [from, path, patienceMs, aside], ctx, { failure: 'restore-failed', writes: true })
  } finally {
    await removeDatabase(temporary.path)
    if (!existsSync(kept)) await removeDatabase(kept) // its mark
  }
  return { oldName: basename(kept), ...(keepUntil && { keepUntil }) }
}

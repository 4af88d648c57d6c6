import { rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Driver, RunContext, ScratchDatabase, ScratchOptions } from '@holdfast/core'
import { markOf } from './aside-mark.js'
import { swapIn } from './asides.js'
import type { BoundDatabase } from './bound-database.js'
import { cannotMake, fileOf, removeDatabase, requireRoom, reserveBeside } from './database-files.js'
import { lookAt } from './probe.js'

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
  const made = await reserveBeside(path, 'unfinished', ctx.clock.now(), { wal: live?.journalMode === 'wal' })
  await writeFile(made, '', { flag: 'wx', mode: 0o600 }).catch(async (error) => {
    await rm(markOf(made), { force: true })
    throw cannotMake(path, error)
  })
  return {
    driver: bind({ ...bound, path: made, scratchOf: path }),
    swap: (how, swapCtx) => swapIn(made, { ...bound, path }, how, swapCtx),
    [Symbol.asyncDispose]: () => removeDatabase(made), // once swapped in, its content is in the live file
  }
}

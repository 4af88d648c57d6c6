import { existsSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type AsideDatabase, type Replaced, type RunContext, readAsideName, type SwapOptions } from '@holdfast/core'
import { isAbandoned, markedName, readMark } from './aside-mark.js'
import type { BoundDatabase } from './bound-database.js'
import { fileOf, longestName, removeDatabase, reserveBeside, takeName } from './database-files.js'
import { lookAt } from './probe.js'
import type { Look } from './program/look.js'
import { runTask } from './run-task.js'

/** {@link Driver.asides} for SQLite. What a restore still works on is none. */
export async function asides(bound: BoundDatabase, ctx: RunContext): Promise<readonly AsideDatabase[]> {
  ctx.signal.throwIfAborted()
  const path = await fileOf(bound.path)
  const names = await readdir(dirname(path)).catch(() => []) // no directory, nothing in it
  const marked = names.map(markedName).filter((name) => name !== undefined)
  const found = await Promise.all(marked.map((name) => asideOf(name, { ...bound, path }, ctx)))
  return found.filter((aside) => aside !== undefined).sort((a, b) => b.since.getTime() - a.since.getTime())
}

async function asideOf(name: string, bound: BoundDatabase, ctx: RunContext): Promise<AsideDatabase | undefined> {
  const read = readAsideName(name, basename(bound.path), longestName)
  if (!read) return undefined
  const path = join(dirname(bound.path), name)
  const mark = await readMark(path, basename(bound.path))
  if (!mark) return undefined
  const found = await lstat(path).catch(() => undefined) // killed before it was made, or gone meanwhile
  if (found && !found.isFile()) return undefined // a restore makes no links and no directories
  const isWhole = found !== undefined && read.kind === 'replaced'
  if (!isWhole && !(await isAbandoned(path, mark, ctx.clock.now()))) return undefined
  return {
    name,
    kind: isWhole ? 'replaced' : 'unfinished',
    since: read.since,
    sizeBytes: found?.size ?? 0,
    ...(isWhole && mark.keepUntil && { keepUntil: mark.keepUntil }),
    ...(isWhole && {
      async takeBack(how: SwapOptions, using: RunContext) {
        const replaced = await swapIn(path, bound, how, using)
        await removeDatabase(path)
        return replaced
      },
    }),
    async drop(using) {
      if (!isWhole && mark.wal && existsSync(bound.path)) {
        await runTask('bringBackWal', [bound.path, bound.patienceMs], using, { writes: true })
      }
      await removeDatabase(path)
    },
  }
}

/**
 * Puts the content of one file in the place of a live one's, which stays beside it as it was the moment before.
 *
 * @throws {BackupError} `target-in-use` when others hold the live file for longer than the patience.
 */
export async function swapIn(
  from: string,
  bound: BoundDatabase,
  { keepUntil }: Pick<SwapOptions, 'keepUntil'>,
  ctx: RunContext,
): Promise<Replaced> {
  const { path } = bound
  const live = await lookAt(path, ctx)
  if (!live) {
    await takeName(from, path)
    return {}
  }
  const temporary = await reserveBeside(path, 'unfinished', ctx.clock.now(), { wal: live.journalMode === 'wal' })
  const kept = await reserveBeside(path, 'replaced', ctx.clock.now(), { keepUntil })
  try {
    await overwrite(from, bound, ctx, { path: kept, temporary })
  } finally {
    await removeDatabase(temporary)
    if (!existsSync(kept)) await removeDatabase(kept) // its mark
  }
  return { oldName: basename(kept), ...(keepUntil && { keepUntil }) }
}

/**
 * Puts the content of one file into a live one that was found empty.
 *
 * @throws {BackupError} `target-not-empty` when its programs have begun to use it meanwhile; then it is as they left it.
 */
export async function fillEmpty(
  from: string,
  bound: BoundDatabase,
  { journalMode }: Pick<Look, 'journalMode'>,
  ctx: RunContext,
): Promise<void> {
  const temporary = await reserveBeside(bound.path, 'unfinished', ctx.clock.now(), { wal: journalMode === 'wal' })
  try {
    await overwrite(from, bound, ctx, { temporary })
  } finally {
    await removeDatabase(temporary)
  }
}

/**
 * Replaces the content of a live file through SQLite's locks: others may have it open. What restores left that were
 * killed goes first: they may have left the file without its WAL mode.
 *
 * @param aside - Where the old content is kept; without a path, there may be none.
 */
export async function overwrite(
  from: string,
  bound: BoundDatabase,
  ctx: RunContext,
  aside?: { readonly path?: string; readonly temporary: string },
): Promise<void> {
  for (const { kind, drop } of await asides(bound, ctx)) if (kind === 'unfinished') await drop(ctx)
  const how = { failure: 'restore-failed', writes: true, about: bound.path } as const
  await runTask('overwrite', [from, bound.path, bound.patienceMs, aside], ctx, how)
}

import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type AsideDatabase, type RunContext, readAsideName, type SwapOptions } from '@holdfast/core'
import { isAbandoned, markedName, readMark } from './aside-mark.js'
import type { BoundDatabase } from './bound-database.js'
import { fileOf, longestName, removeDatabase } from './database-files.js'
import { swapIn } from './scratch.js'

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
  const mark = await readMark(path)
  if (mark?.beside !== basename(bound.path)) return undefined
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
    drop: () => removeDatabase(path),
  }
}

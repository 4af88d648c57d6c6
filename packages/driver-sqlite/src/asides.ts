import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type AsideDatabase, type RunContext, readAsideName } from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { fileOf, longestName, removeDatabase } from './database-files.js'
import { swapIn } from './scratch.js'

/** {@link Driver.asides} for SQLite. */
export async function asides(bound: BoundDatabase, ctx: RunContext): Promise<readonly AsideDatabase[]> {
  ctx.signal.throwIfAborted()
  const path = await fileOf(bound.path)
  const names = await readdir(dirname(path)).catch(() => []) // no directory, nothing in it
  const found = await Promise.all(names.map((name) => asideOf(name, { ...bound, path })))
  return found.filter((aside) => aside !== undefined).sort((a, b) => b.since.getTime() - a.since.getTime())
}

async function asideOf(name: string, bound: BoundDatabase): Promise<AsideDatabase | undefined> {
  const read = readAsideName(name, basename(bound.path), longestName)
  if (!read) return undefined
  const path = join(dirname(bound.path), name)
  const found = await lstat(path).catch(() => undefined) // gone meanwhile
  if (!found?.isFile()) return undefined // a restore makes no links and no directories
  return {
    name,
    ...read,
    sizeBytes: found.size,
    ...(read.kind === 'replaced' && {
      async takeBack(_options, ctx: RunContext) {
        const replaced = await swapIn(path, bound, ctx)
        await removeDatabase(path)
        return replaced
      },
    }),
    drop: () => removeDatabase(path),
  }
}

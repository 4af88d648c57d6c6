import { lstatSync, mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { isAbsolute, join } from 'node:path'
import type { World } from './world.js'

/** What is compiled is kept for the next start: a third of the time that loading takes. */
export function useCompileCache(env: World['env']): void {
  const directory = privateDirectory(env)
  if (directory !== undefined) enableCompileCache(directory)
}

/**
 * A directory that nobody else can write to: what lies in it is run. Node's own default, within the directory for
 * temporary files, is for anybody to make first. `undefined` where there is none; then nothing is kept.
 */
export function privateDirectory({ HOME, XDG_CACHE_HOME }: World['env']): string | undefined {
  const caches = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'))
  if (!caches || !isAbsolute(caches)) return undefined
  const directory = join(caches, 'holdfast', 'compile-cache')
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const { mode, uid } = lstatSync(directory)
    return uid === process.getuid?.() && (mode & 0o022) === 0 ? directory : undefined
  } catch {
    return undefined // not writable; a start without a cache only takes longer
  }
}

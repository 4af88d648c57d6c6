import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'

/** Makes temp directories that are removed after each test. */
export function useTempDirectories(): () => Promise<string> {
  const made: string[] = []
  afterEach(async () => {
    for (const path of made.splice(0)) await rm(path, { recursive: true })
  })
  return async () => {
    const path = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-local-')))
    made.push(path)
    return path
  }
}

/** Everything below a directory, relative, sorted; directories end in `/`. */
export async function tree(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1) + (entry.isDirectory() ? '/' : ''))
    .sort()
}

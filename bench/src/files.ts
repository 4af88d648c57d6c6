import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { outDir } from '#bench/commands'

/** Empties the folder that either side writes to. */
export async function emptyOut(): Promise<void> {
  await rm(outDir, { recursive: true, force: true })
  await mkdir(outDir, { recursive: true })
}

/** The largest file below the folder that either side writes to: the dump. */
export async function largestFile(): Promise<{ path: string; bytes: number }> {
  const entries = await readdir(outDir, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const files = await Promise.all(paths.map(async (path) => ({ path, bytes: (await stat(path)).size })))
  const [largest] = files.sort((a, b) => b.bytes - a.bytes)
  if (largest === undefined) throw new Error(`Nothing was written to ${outDir}`)
  return largest
}

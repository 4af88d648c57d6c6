import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, measure } from '#bench/measure'
import { workDir } from '#bench/paths'

const hook = fileURLToPath(new URL('peak-memory.cjs', import.meta.url))

/** Runs a command line of Node and returns the peak of that process's resident memory in megabytes of 10⁶ bytes. */
export async function peakMemory({ line, env }: Command): Promise<number> {
  const file = join(workDir, 'peak')
  await measure({ line, env: { ...env, NODE_OPTIONS: `--require=${hook}`, BENCH_PEAK_FILE: file } })
  return (Number(await readFile(file, 'utf8')) * 1024) / 1e6
}

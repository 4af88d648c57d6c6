import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { workDir } from '#bench/paths'

/** A shell command line and the environment it needs beyond that of this process. */
export interface Command {
  /** Run by bash with `pipefail`. */
  readonly line: string
  readonly env?: Readonly<Record<string, string>>
}

/** What one run took. */
export interface Measured {
  readonly wallSeconds: number
  /** User and system time of every process that the command started; the database server is not among them. */
  readonly cpuSeconds: number
}

/**
 * Runs a command line and measures it. bash's own `time` does so: it counts all processes that were waited for, their
 * children included, with a resolution of a millisecond, and costs both sides of a comparison the same.
 *
 * @throws {Error} with all that the command printed, when it fails.
 */
export async function measure({ line, env = {} }: Command): Promise<Measured> {
  const times = join(workDir, 'times')
  const script = `set -o pipefail; TIMEFORMAT='%R %U %S'; exec 3>&2; { time { ${line}\n } 2>&3; } 2>"$BENCH_TIMES"`
  const child = spawn('bash', ['-c', script], {
    env: { ...process.env, ...env, BENCH_TIMES: times },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, problems, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(`This ended with code ${code}:\n  ${line}\n${out}${problems}`)
  const [wall = 0, user = 0, system = 0] = (await readFile(times, 'utf8')).trim().split(' ').map(Number)
  return { wallSeconds: wall, cpuSeconds: user + system }
}

import { cpus, loadavg, release, totalmem } from 'node:os'
import { run } from '#bench/run'

/** Where figures come from. */
export interface Machine {
  readonly cpu: string
  readonly memory: string
  readonly kernel: string
  readonly versions: Readonly<Record<string, string>>
  /** Of Holdfast. */
  readonly commit: string
  /** Average of the minute before the run. */
  readonly load: number
}

const firstLine = async (command: string, args: readonly string[]): Promise<string> =>
  (await run(command, args).catch(() => '?')).split('\n')[0] ?? ''

/** Describes this machine. */
export async function describeMachine(postgres: string): Promise<Machine> {
  const processors = cpus()
  const number = (text: string): string => /\d+(\.\d+)+/.exec(text)?.[0] ?? text
  return {
    cpu: `${processors.length} × ${processors[0]?.model ?? '?'}`,
    memory: `${(totalmem() / 1e9).toFixed(0)} GB`,
    kernel: release(),
    versions: {
      node: process.versions.node,
      postgresql: number(postgres),
      zstd: number(await firstLine('zstd', ['--version'])),
      rclone: number(await firstLine('rclone', ['--version'])),
    },
    commit: await firstLine('git', ['rev-parse', '--short', 'HEAD']),
    load: loadavg()[0] ?? 0,
  }
}

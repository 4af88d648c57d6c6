import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'

/** A restore in a process of its own. */
export interface RunningRestore {
  readonly child: ChildProcess
  /** Resolves when the process is gone. */
  kill(): Promise<void>
}

/** Starts `restore-child.ts`, and waits until it is ready. */
export async function startRestore(
  from: string,
  to: string,
  way: 'restore' | 'swap' | 'wait',
): Promise<RunningRestore> {
  const node = [
    '--conditions=holdfast-source',
    '--no-warnings',
    '--import',
    join(import.meta.dirname, 'run-sources.mjs'),
  ]
  const child = spawn(process.execPath, [...node, join(import.meta.dirname, 'restore-child.ts'), from, to, way], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Sources that run here too must not be counted there: the two have different code.
    env: { ...process.env, TMPDIR: dirname(from), NODE_V8_COVERAGE: '' },
  })
  await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data')
  return {
    child,
    async kill() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

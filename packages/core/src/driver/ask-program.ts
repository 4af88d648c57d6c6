import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { lacksDescriptors, requireDescriptors } from './free-descriptors.js'
import { notStarted } from './not-started.js'

/**
 * What a program says on standard output, where that is short: its version, its help. It has ten seconds and 16 MiB.
 *
 * @param env - All of its environment.
 * @returns `undefined` when it is not there, does not run here, or fails.
 * @throws {BackupError} `dump-failed` (retryable) when this process has too many files open: that says nothing about
 *   the program.
 */
export async function askProgram(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  try {
    requireDescriptors(3)
    const limits = { timeout: 10_000, maxBuffer: 16 * 1_024 * 1_024 }
    const { stdout } = await promisify(execFile)(path, [...args], { env, ...limits })
    return stdout
  } catch (error) {
    if (lacksDescriptors(error)) throw notStarted('dump-failed', path, error)
    return undefined
  }
}

import { BackupError, type BackupRecord, type Driver, type Holdfast, type VerifyResult } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { type FromOptions, openBackups } from '../configuration/open-backups.js'
import { driverOfEngine } from '../configuration/source-from-text.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { formatBytes } from '../output/format-bytes.js'
import { createProgress } from '../output/progress.js'
import { reportProblems } from './list.js'

/** Options of `holdfast verify`. */
export type VerifyCommandOptions = FromOptions

/** Re-reads every copy of the backups that were named, and says which are damaged. */
export async function verifyCommand(
  cli: Cli,
  args: readonly string[],
  options: VerifyCommandOptions,
): Promise<ExitCode> {
  const { output, signal } = cli
  const opened = await openBackups(options, cli)
  await using holdfast = opened.holdfast
  const stored = await holdfast.list({ signal })
  reportProblems(stored, cli)
  const backups = await choose(args[0], stored.backups, holdfast, signal)
  const results: VerifyResult[] = []
  for (const backup of backups) {
    const driver = opened.jobs.length > 0 ? undefined : await driverOfEngine(backup.engine)
    results.push(await verify(backup, driver, holdfast, cli))
  }
  const corrupt = results.filter(({ status }) => status === 'corrupt').length
  const status = corrupt > 0 || stored.damaged.length > 0 ? 'corrupt' : 'intact'
  output.document({ status, backups: results.map(toDocument), damaged: stored.damaged })
  if (results.length > 1) output.result(`${results.length - corrupt} of ${results.length} backups are intact`)
  if (status === 'corrupt') return exitCodes.damaged
  return stored.unreachable.length > 0 ? exitCodes.partial : exitCodes.done
}

/** All, all of a job, or the one that a selector means. */
async function choose(
  selector: string | undefined,
  backups: readonly BackupRecord[],
  holdfast: Holdfast,
  signal: AbortSignal,
): Promise<readonly BackupRecord[]> {
  const chosen = selector === undefined ? backups : backups.filter(({ job }) => job === selector)
  if (chosen.length > 0) return chosen
  if (selector !== undefined) return [await holdfast.show(selector, { signal })]
  throw new BackupError('no-match', {
    message: `There are no backups on ${holdfast.storages.join(', ')}`,
    hint: 'Say where they are with --from.',
  })
}

async function verify(
  backup: BackupRecord,
  driver: Driver | undefined,
  holdfast: Holdfast,
  cli: Cli,
): Promise<VerifyResult> {
  const { output, signal } = cli
  using progress = createProgress(backup.shortId, cli.world, output, cli.options)
  const result = await holdfast.verify(backup.id, {
    signal,
    onProgress: progress.report,
    ...(driver && { driver }),
  })
  progress[Symbol.dispose]()
  output.result(describe(result, cli))
  return result
}

function describe({ backup, status, copies }: VerifyResult, { output }: Cli): string {
  const { paint } = output
  const state = status === 'intact' ? paint.good('intact') : paint.bad('DAMAGED')
  const width = Math.max(0, ...copies.map(({ storage }) => storage.length))
  return [
    `Backup ${paint.strong(backup.shortId)} of ${backup.job} is ${state} (${formatBytes(backup.storedBytes)})`,
    ...copies.map(({ storage, status: copy, problem }) =>
      copy === 'intact'
        ? `  ${storage.padEnd(width)}  ${paint.good('intact')}`
        : `  ${storage.padEnd(width)}  ${paint.bad('damaged')}: ${problem ?? 'no reason was given'}`,
    ),
  ].join('\n')
}

function toDocument({ backup, status, copies }: VerifyResult): object {
  return { id: backup.id, shortId: backup.shortId, name: backup.name, job: backup.job, status, copies }
}

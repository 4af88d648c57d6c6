import type { BackupRecord, Driver, RestoreResult } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { type OpenedBackups, openBackups } from '../configuration/open-backups.js'
import { ownEntry } from '../configuration/own-entry.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { backupDocument } from '../output/backup-document.js'
import { formatDuration } from '../output/format-duration.js'
import { createProgress } from '../output/progress.js'
import { visible, visibleBackup } from '../output/visible.js'
import { namesFile } from './named-file.js'
import { restoreFileCommand } from './restore-file.js'
import type { RestoreCommandOptions } from './restore-options.js'
import { refused, requestOf } from './restore-request.js'
import { describeFindings, describeOld, describeRestore } from './restore-summary.js'
import { confirmRestore, intoDriver, losing, noTarget } from './restore-target.js'
import { untouched } from './untouched.js'

/** Restores a backup: shows what will happen, asks, restores. */
export async function restoreCommand(
  cli: Cli,
  args: readonly string[],
  options: RestoreCommandOptions,
): Promise<ExitCode> {
  const { output, signal } = cli
  if (namesFile(args[0], cli.world, options.from)) return restoreFileCommand(cli, args[0], options)
  const opened = await untouched(openBackups(options, cli))
  await using holdfast = opened.holdfast
  const backup = await untouched(holdfast.show(args[0] ?? 'latest', { signal, restorable: true }))
  const driver = await untouched(targetDriver(backup, options, opened, cli))
  const request = requestOf(options, cli)
  const preview = await untouched(holdfast.previewRestore(backup.id, { ...request, signal, into: driver }))
  const { problems, mode } = preview
  const say = options.yes && !options.dryRun ? output.note : output.error // nobody is asked about what was not shown
  say(describeRestore({ ...preview, backup: visibleBackup(backup) }, driver, options, output))
  if (options.dryRun) {
    output.document({ status: 'preview', ...preview, backup: backupDocument(backup) })
    output.result(describeFindings(preview, output))
    return problems.length > 0 ? exitCodes.restoreFailed : exitCodes.done
  }
  if (problems.length > 0) throw refused(problems)
  await confirmRestore(losing(preview, driver), options, cli)

  using progress = createProgress(backup.shortId, cli.world, output, cli.options)
  const asked = { ...request, signal, onProgress: progress.report, into: driver, mode }
  const result = await holdfast.restore(backup.id, asked)
  progress[Symbol.dispose]()
  const { backup: record, safetyBackup, ...rest } = result
  const saved = safetyBackup && { safetyBackup: backupDocument(safetyBackup) }
  output.document({ status: 'restored', ...rest, backup: backupDocument(record), ...saved })
  output.result(describeResult(result, options, cli))
  return exitCodes.done
}

function describeResult(
  { backup, target, storage, durationMs, old, safetyBackup, warnings }: RestoreResult,
  options: RestoreCommandOptions,
  { output: { paint } }: Cli,
): string {
  return [
    `Backup ${paint.strong(backup.shortId)} is ${paint.good('restored')} into ${target}, from ${storage} in ${formatDuration(durationMs)}`,
    ...(safetyBackup ? [`  what was there before is in backup ${paint.strong(safetyBackup.shortId)}`] : []),
    ...(old ? describeOld(old, backup.job, options, paint) : []),
    ...warnings.map((warning) => `  ${paint.warning('warning:')} ${visible(warning)}`),
  ].join('\n')
}

async function targetDriver(
  backup: BackupRecord,
  options: RestoreCommandOptions,
  { setup }: OpenedBackups,
  cli: Cli,
): Promise<Driver> {
  const named = await intoDriver(options, cli)
  if (named) return named
  const job = setup.file === undefined ? undefined : ownEntry(await setup.jobs(), backup.job)
  if (job) return job.source
  throw noTarget()
}

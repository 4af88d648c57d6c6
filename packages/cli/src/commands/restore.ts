import { BackupError, type BackupRecord, type Driver, type RestoreMode, type Sections } from '@holdfast/core'
import { ask, canAsk } from '../ask.js'
import type { Cli } from '../cli.js'
import { askingSource } from '../configuration/asking-source.js'
import { type OpenedBackups, openBackups } from '../configuration/open-backups.js'
import { urlFrom } from '../configuration/setup.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { backupDocument } from '../output/backup-document.js'
import { formatDuration } from '../output/format-duration.js'
import { createProgress } from '../output/progress.js'
import { visibleBackup } from '../output/visible.js'
import type { RestoreCommandOptions } from './restore-options.js'
import { describeRestore, probeTarget, requireMode, type Target } from './restore-summary.js'

/** Restores a backup: shows what will happen, asks, restores. */
export async function restoreCommand(
  cli: Cli,
  args: readonly string[],
  options: RestoreCommandOptions,
): Promise<ExitCode> {
  const { output, signal } = cli
  const opened = await openBackups(options, cli)
  await using holdfast = opened.holdfast
  const backup = await holdfast.show(args[0] ?? 'latest', { signal, restorable: true })
  const driver = await targetDriver(backup, options, opened, cli)
  const target = await probeTarget(driver, signal)
  const mode = requireMode(modeOf(options), target)
  const say = options.yes ? output.note : output.error // nobody is asked about what was not shown
  say(describeRestore(visibleBackup(backup), target, mode, options, output))
  await confirm(target, mode, options, cli)

  using progress = createProgress(backup.shortId, cli.world, output, cli.options)
  const sections: Sections = options.schemaOnly ? 'schema' : options.dataOnly ? 'data' : 'all'
  const result = await holdfast.restore(backup.id, {
    signal,
    onProgress: progress.report,
    into: driver,
    mode,
    sections,
    ...(options.tables && { tables: options.tables }),
    ...(options.jobs !== undefined && { jobs: cappedJobs(options.jobs, cli) }),
    ...(options.terminate && { terminateConnections: true }),
    ...(options.owner === false && { noOwner: true }),
    ...(options.privileges === false && { noPrivileges: true }),
    ...(options.globals && { globals: true }),
  })
  progress[Symbol.dispose]()
  const { backup: record, ...rest } = result
  output.document({ status: 'restored', ...rest, backup: backupDocument(record) })
  const { paint } = output
  output.result(
    [
      `Backup ${paint.strong(backup.shortId)} is ${paint.good('restored')} into ${result.target}, from ${result.storage} in ${formatDuration(result.durationMs)}`,
      ...result.warnings.map((warning) => `  ${paint.warning('warning:')} ${warning}`),
    ].join('\n'),
  )
  return exitCodes.done
}

async function targetDriver(
  backup: BackupRecord,
  options: RestoreCommandOptions,
  { setup }: OpenedBackups,
  cli: Cli,
): Promise<Driver> {
  const url = urlFrom({ argument: options.into, file: options.intoFile }, '--into-file', cli)
  if (url !== undefined) {
    requireDatabaseName(url)
    return askingSource(url, options.binDir === undefined ? {} : { binDir: options.binDir }, cli)
  }
  const job = setup.file === undefined ? undefined : (await setup.jobs())[backup.job]
  if (job) return job.source
  throw new BackupError('config-invalid', {
    message: 'It is not said into which database to restore',
    hint: 'Add --into postgres://user@host/database; the database is made if it is not there.',
  })
}

/** Each is a connection, and a server has a hundred by default: no machine restores faster with more than these. */
const mostJobs = 32

function cappedJobs(jobs: number, { output }: Cli): number {
  if (jobs > mostJobs)
    output.warn(`--jobs ${jobs} is more than any server gains from; ${mostJobs} connections are used.`)
  return Math.min(jobs, mostJobs)
}

/** Clients would take the database that has the user's name: not what somebody means who leaves it out. */
function requireDatabaseName(url: string): void {
  const named = !url.includes('://') || /^[^/]*:\/\/[^/?#]*\/[^?#]/.test(url) || /[?&](?:dbname|service)=[^&]/.test(url)
  if (named) return
  throw new BackupError('config-invalid', {
    message: 'The URL of --into does not say which database',
    hint: 'Nothing was touched. Add the name at its end: postgres://user@host/database; it is made if it is not there.',
  })
}

function modeOf({ mode, clean, drop, append }: RestoreCommandOptions): RestoreMode | undefined {
  if (clean) return 'clean'
  if (drop) return 'replace'
  return append ? 'append' : mode
}

/** What loses data is confirmed by the name of the database; the rest by `yes`. */
async function confirm(target: Target, mode: RestoreMode, { yes }: RestoreCommandOptions, cli: Cli): Promise<void> {
  if (yes) return
  if (!canAsk(cli.world)) {
    throw new BackupError('config-invalid', {
      message: 'A restore has to be confirmed, and there is no terminal to ask at',
      hint: 'Nothing was touched. Add --yes once you are sure.',
    })
  }
  const loses = target.exists && (mode === 'replace' || mode === 'clean')
  const expected = loses ? target.driver.database : 'yes'
  const what = loses ? `the name of the database (${expected})` : expected
  const typed = await ask(`Type ${what} to go on:`, cli.world, cli.signal)
  if (typed === expected || (!loses && typed?.toLowerCase() === 'yes')) return
  throw new BackupError('config-invalid', { message: 'The restore was not confirmed', hint: 'Nothing was touched.' })
}

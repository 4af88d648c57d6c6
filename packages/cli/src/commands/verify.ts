import {
  BackupError,
  type BackupRecord,
  type Driver,
  type Holdfast,
  messageOf,
  type StoredBackups,
  type VerifyOptions,
  type VerifyResult,
} from '@holdfast/core'
import type { Cli } from '../cli.js'
import { askingSource } from '../configuration/asking-source.js'
import { type FromOptions, type OpenedBackups, openBackups } from '../configuration/open-backups.js'
import { urlFrom } from '../configuration/setup.js'
import { binDirOf, driverOfEngine } from '../configuration/source-from-text.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { asBackupError } from '../output/errors.js'
import { describePlaces, lookElsewhere } from '../output/places.js'
import { createProgress } from '../output/progress.js'
import { refuseConfigured } from './choose-jobs.js'
import { problemsDocument, reportProblems } from './list.js'
import { describeVerification, verificationDocument } from './verify-report.js'

/** Options of `holdfast verify`. */
export interface VerifyCommandOptions extends FromOptions {
  readonly testRestore?: boolean
  readonly on?: string
  readonly onFile?: string
  readonly binDir?: string
  readonly assert?: readonly string[]
  readonly all?: boolean
}

/** A backup, and how far its verification goes. */
interface Task {
  readonly backup: BackupRecord
  readonly testRestore: VerifyOptions['testRestore']
}

/** Re-reads copies of backups, restores them for a test where that is asked for, and says which are damaged. */
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
  const tasks = await choose(args[0], stored.backups, options, opened, cli)
  const results: VerifyResult[] = []
  for (const task of tasks) {
    const { engine } = task.backup
    const isConfigured = opened.engines.includes(engine) && options.binDir === undefined
    const driver = isConfigured ? undefined : await driverOfEngine(engine, options.binDir)
    results.push(await verify(task, driver, holdfast, cli))
  }
  const status = overall(results, stored)
  output.document({ status, backups: results.map(verificationDocument), ...problemsDocument(stored) })
  if (tasks.length === 0) output.result('Nothing is to be verified now. `holdfast verify --all` verifies every backup.')
  const intact = results.filter((each) => each.status === 'intact').length
  if (results.length > 1) output.result(`${intact} of ${results.length} backups are intact`)
  if (status === 'corrupt' || status === 'assertion-failed') return exitCodes.damaged
  return status === 'unreadable' ? exitCodes.partial : exitCodes.done
}

/** The worst of what was found; what lies on a storage that cannot be read is not known to be whole. */
function overall(results: readonly VerifyResult[], { damaged, unreachable }: StoredBackups): VerifyResult['status'] {
  const found = new Set(results.map(({ status }) => status))
  if (damaged.length > 0) found.add('corrupt')
  if (unreachable.length > 0) found.add('unreadable')
  return (['corrupt', 'assertion-failed', 'unreadable'] as const).find((status) => found.has(status)) ?? 'intact'
}

/** What was named; without a name what is due by the jobs' `verify` settings, or all where no job has any. */
async function choose(
  selector: string | undefined,
  backups: readonly BackupRecord[],
  options: VerifyCommandOptions,
  opened: OpenedBackups,
  cli: Cli,
): Promise<readonly Task[]> {
  const { holdfast, setup } = opened
  const testRestore = await testRestoreFrom(options, opened, cli)
  const jobs = setup.file === undefined ? {} : await setup.jobs()
  const byDue = Object.values(jobs).some(({ verify: settings }) => settings !== undefined)
  if (selector === undefined && !testRestore && !options.all && byDue) {
    const due = await holdfast.dueVerifications({ signal: cli.signal })
    return due.map(({ backup, kind }) => ({ backup, testRestore: kind === 'test-restore' }))
  }
  const named = await chooseBackups(selector, backups, opened, cli.signal)
  const chosen = testRestore && !options.all ? latestOfEachJob(named) : named
  return chosen.map((backup) => ({ backup, testRestore }))
}

/** All, all of a job, or the one that a selector means. */
async function chooseBackups(
  selector: string | undefined,
  backups: readonly BackupRecord[],
  { holdfast, storages }: OpenedBackups,
  signal: AbortSignal,
): Promise<readonly BackupRecord[]> {
  const chosen = selector === undefined ? backups : backups.filter(({ job }) => job === selector)
  if (chosen.length > 0) return chosen
  if (selector !== undefined) return [await holdfast.show(selector, { signal })]
  throw new BackupError('no-match', {
    message: `There are no backups on ${describePlaces(storages)}`,
    hint: lookElsewhere,
  })
}

/** Of each job the newest that is whole; where none is, the newest all the same: a job without one must not pass. */
function latestOfEachJob(backups: readonly BackupRecord[]): readonly BackupRecord[] {
  const isWhole = ({ copies }: BackupRecord): boolean => copies.some(({ status }) => status === 'complete')
  const byJob = Map.groupBy(backups, ({ job }) => job)
  return [...byJob.values()].flatMap((own) => own.find(isWhole) ?? own.slice(0, 1))
}

/** Where to restore for a test: `--on`, else as the job says; without a config file beside the database of the environment. */
async function testRestoreFrom(
  options: VerifyCommandOptions,
  { setup }: OpenedBackups,
  cli: Cli,
): Promise<Task['testRestore']> {
  const { testRestore, on, onFile, assert } = options
  if (!testRestore && on === undefined && onFile === undefined && !assert) return undefined
  const url = urlFrom({ argument: on, file: onFile }, '--on-file', cli)
  if (url === undefined && options.binDir !== undefined) refuseConfigured(setup, 'binDir')
  const programs = binDirOf(options)
  const [fromEnvironment] =
    setup.file === undefined && url === undefined ? Object.values(await setup.jobs(programs)) : []
  const driver = url === undefined ? fromEnvironment?.source : await askingSource(url, programs, cli)
  if (!driver && setup.file === undefined) {
    throw new BackupError('config-invalid', {
      message: 'It is not said on which server to restore for a test',
      hint: 'Add --on postgres://user@host/database, or --on sqlite:./app.db: a scratch database is made beside that one, which is not touched, and dropped again.',
    })
  }
  if (driver?.unusable) throw driver.unusable
  return { ...(driver && { on: driver }), ...(assert && { assertions: assert }) }
}

async function verify(
  { backup, testRestore }: Task,
  driver: Driver | undefined,
  holdfast: Holdfast,
  cli: Cli,
): Promise<VerifyResult> {
  const { output, signal } = cli
  using progress = createProgress(backup.shortId, cli.world, output, cli.options)
  const options = {
    signal,
    onProgress: progress.report,
    ...(driver && { driver }),
    ...(testRestore && { testRestore }),
  }
  const verifying = holdfast.verify(backup.id, options)
  // What keeps a test restore from being made says nothing about the backup: that is the command's error.
  const result = await (testRestore ? verifying : verifying.catch((error) => unreadable(backup, error, signal)))
  progress[Symbol.dispose]()
  output.result(describeVerification(result, cli))
  return result
}

/** What keeps one backup from being read must not keep the next from being verified. */
function unreadable(backup: BackupRecord, error: unknown, signal: AbortSignal): VerifyResult {
  signal.throwIfAborted()
  if (!asBackupError(error)) throw error
  const copies = backup.copies.map(({ storage }) => {
    return { storage, status: 'unreadable' as const, problem: messageOf(error), error }
  })
  return { backup, status: 'unreadable', copies }
}

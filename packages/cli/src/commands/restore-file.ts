import type { Driver, DumpFile, FileRestorePreview, RestoreFileResult } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { encrypted, openHoldfast } from '../configuration/open-holdfast.js'
import { readingCiphers } from '../configuration/reading-keys.js'
import { chooseStorages, readSetup } from '../configuration/setup.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { backupDocument } from '../output/backup-document.js'
import { formatDuration } from '../output/format-duration.js'
import { createProgress } from '../output/progress.js'
import { visible } from '../output/visible.js'
import { openNamedFile } from './named-file.js'
import type { RestoreCommandOptions } from './restore-options.js'
import { refused, requestOf } from './restore-request.js'
import { describeOld, stateOf } from './restore-summary.js'
import { confirmRestore, intoDriver, losing, noTarget } from './restore-target.js'
import { sayUntouched, untouched } from './untouched.js'

/** Restores a dump from a file, an object or standard input: shows what it is and what will happen, asks, restores. */
export async function restoreFileCommand(
  cli: Cli,
  argument: string,
  options: RestoreCommandOptions,
): Promise<ExitCode> {
  const { output, signal } = cli
  const setup = await untouched(readSetup(cli, [argument]))
  const driver = await untouched(intoDriver(options, cli))
  if (!driver) throw noTarget()
  await using opened = await untouched(openNamedFile(argument, setup, cli))
  const { file } = opened
  const jobs = setup.file === undefined ? {} : await setup.jobs()
  const storages = setup.file === undefined ? {} : await chooseStorages(undefined, setup, cli, false)
  const own = { storages, jobs }
  await using holdfast = openHoldfast(setup, options.safetyBackup ? encrypted(own, setup) : own, cli)
  using progress = createProgress(file.name, cli.world, output, cli.options)
  let told: Told = { warnings: [], blocked: false }
  let confirmed = false
  const restoring = holdfast.restoreFile(file, {
    ...requestOf(options, cli),
    signal,
    onProgress: progress.report,
    into: driver,
    ciphers: await readingCiphers(options, setup, cli),
    confirm: async (found) => {
      told = tell(found, file, driver, options, cli)
      if (options.dryRun) throw dryRun
      if (told.blocked) throw refused(found.problems)
      await confirmRestore(losing(found, driver), options, cli)
      confirmed = true
    },
  })
  const result = await restoring.catch((error: unknown) => {
    if (error !== dryRun) throw confirmed ? error : sayUntouched(error)
    return undefined
  })
  progress[Symbol.dispose]()
  if (!result) return told.blocked ? exitCodes.restoreFailed : exitCodes.done
  output.document(restoredDocument(result, file))
  output.result(describeResult(result, file, told.warnings, options, cli))
  return exitCodes.done
}

function restoredDocument({ manifest, safetyBackup, ...rest }: RestoreFileResult, file: DumpFile): object {
  const saved = safetyBackup && { safetyBackup: backupDocument(safetyBackup) }
  return { status: 'restored', file: file.display, engine: manifest.engine, ...rest, ...saved }
}

function describeResult(
  { target, durationMs, old, warnings }: RestoreFileResult,
  file: DumpFile,
  toldBefore: readonly string[],
  options: RestoreCommandOptions,
  { output: { paint } }: Cli,
): string {
  return [
    `${visible(file.display)} is ${paint.good('restored')} into ${target} in ${formatDuration(durationMs)}`,
    ...(old ? describeOld(old, undefined, options, paint) : []),
    ...warnings
      .filter((warning) => !toldBefore.includes(warning))
      .map((warning) => `  ${paint.warning('warning:')} ${visible(warning)}`),
  ].join('\n')
}

/** What somebody has been shown before anything is touched. */
interface Told {
  readonly warnings: readonly string[]
  /** Whether there are problems that keep the restore from working. */
  readonly blocked: boolean
}

/** Shows what will happen. */
function tell(
  preview: FileRestorePreview,
  file: DumpFile,
  driver: Driver,
  options: RestoreCommandOptions,
  cli: Cli,
): Told {
  const { output } = cli
  const text = describe(preview, file, driver, cli)
  const blocked = preview.problems.length > 0
  if (!options.dryRun) {
    const say = options.yes ? output.note : output.error // nobody is asked about what was not shown
    say(text)
    return { warnings: options.yes && cli.options.quiet ? [] : preview.warnings, blocked }
  }
  const { manifest, ...rest } = preview
  output.document({ status: 'preview', file: file.display, target: driver.display, engine: manifest.engine, ...rest })
  output.result(text)
  return { warnings: preview.warnings, blocked }
}

/** Ends a restore that is only to show what it would do. */
const dryRun = new Error('dry run')

function describe(preview: FileRestorePreview, file: DumpFile, driver: Driver, { output }: Cli): string {
  const { errorPaint: paint } = output
  const { manifest, isBackup, wrappings, database, mode, problems, warnings } = preview
  const version = manifest.serverVersion === '' ? '' : ` ${manifest.serverVersion}`
  const wrapped = wrappings.length > 0 ? `, in ${wrappings.join(' in ')}` : ''
  const what = isBackup
    ? `backup ${manifest.id.slice(-8)} of ${manifest.database}`
    : `a dump of ${manifest.engine}${version}`
  const lines: [string, string][] = [
    ['File', visible(file.display)],
    ['Holds', visible(what) + wrapped],
    ['Into', `${paint.strong(driver.display)}, which ${stateOf(database)}`],
    ['How', ways[mode]],
    ...problems.flatMap(({ message, hint }): [string, string][] => [
      ['Problem', paint.bad(visible(message))],
      ...(hint === undefined ? [] : [['', visible(hint)] as [string, string]]),
    ]),
    ...warnings.map((warning): [string, string] => ['Note', visible(warning)]),
  ]
  return lines.map(([name, text]) => `${paint.faint(name.padEnd(7))} ${text}`).join('\n')
}

const ways: Readonly<Record<FileRestorePreview['mode'], string>> = {
  create: 'made anew; nothing is lost',
  staged: 'restored aside, then the two change places; what is there now is kept for a while',
  replace: 'restored aside, then it takes the place of the database; all that this holds now is lost',
  clean: 'in place: what the dump holds is dropped and made again',
  append: 'in place: rows are added to what is there',
}

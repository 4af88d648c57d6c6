import { createHoldfast, type Driver, type DumpFile, type FileRestorePreview } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { commandCatalog } from '../configuration/known-storages.js'
import { readingCiphers } from '../configuration/reading-keys.js'
import { chooseStorages, loggerTo, readSetup } from '../configuration/setup.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { backupDocument } from '../output/backup-document.js'
import { counted } from '../output/counted.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatDuration } from '../output/format-duration.js'
import { createProgress } from '../output/progress.js'
import { visible } from '../output/visible.js'
import { openNamedFile } from './named-file.js'
import type { RestoreCommandOptions } from './restore-options.js'
import { refused, requestOf } from './restore-request.js'
import { describeOld } from './restore-summary.js'
import { confirmRestore, intoDriver, noTarget } from './restore-target.js'

/** Restores a dump from a file, an object or standard input: shows what it is and what will happen, asks, restores. */
export async function restoreFileCommand(
  cli: Cli,
  argument: string,
  options: RestoreCommandOptions,
): Promise<ExitCode> {
  const { output, signal } = cli
  const setup = await readSetup(cli, [argument])
  const driver = await intoDriver(options, cli)
  if (!driver) throw noTarget()
  await using opened = await openNamedFile(argument, setup, cli)
  const jobs = setup.file === undefined ? {} : await setup.jobs()
  const storages = setup.file === undefined ? {} : await chooseStorages(undefined, setup, cli, false)
  await using holdfast = createHoldfast({
    catalog: commandCatalog(cli.world, storages, loggerTo(cli)),
    ...setup.config,
    storages,
    jobs,
    logger: loggerTo(cli),
  })
  const { file } = opened
  using progress = createProgress(file.name, cli.world, output, cli.options)
  let blocked = false
  let told: readonly string[] = []
  const restoring = holdfast.restoreFile(file, {
    ...requestOf(options, cli),
    signal,
    onProgress: progress.report,
    into: driver,
    ciphers: await readingCiphers(options, setup, cli),
    confirm: async (found) => {
      told = tell(found, file, driver, options, cli)
      blocked = found.problems.length > 0
      if (options.dryRun) throw dryRun
      if (blocked) throw refused(found.problems)
      const loses = found.database !== undefined && !found.database.empty && losing.includes(found.mode)
      await confirmRestore(loses ? driver.database : undefined, options, cli)
    },
  })
  const result = await restoring.catch((error: unknown) => {
    if (error !== dryRun) throw error
    return undefined
  })
  progress[Symbol.dispose]()
  if (!result) return blocked ? exitCodes.restoreFailed : exitCodes.done
  const { manifest, safetyBackup, ...rest } = result
  const saved = safetyBackup && { safetyBackup: backupDocument(safetyBackup) }
  output.document({ status: 'restored', file: file.display, engine: manifest.engine, ...rest, ...saved })
  const { paint } = output
  output.result(
    [
      `${visible(file.display)} is ${paint.good('restored')} into ${result.target} in ${formatDuration(result.durationMs)}`,
      ...(result.old ? describeOld(result.old, undefined, options, paint) : []),
      ...result.warnings
        .filter((warning) => !told.includes(warning))
        .map((warning) => `  ${paint.warning('warning:')} ${visible(warning)}`),
    ].join('\n'),
  )
  return exitCodes.done
}

/** @returns The warnings that have been shown. */
function tell(
  preview: FileRestorePreview,
  file: DumpFile,
  driver: Driver,
  options: RestoreCommandOptions,
  cli: Cli,
): readonly string[] {
  const { output } = cli
  const text = describe(preview, file, driver, cli)
  if (!options.dryRun) {
    const say = options.yes ? output.note : output.error // nobody is asked about what was not shown
    say(text)
    return options.yes && cli.options.quiet ? [] : preview.warnings
  }
  const { manifest, ...rest } = preview
  output.document({ status: 'preview', file: file.display, target: driver.display, engine: manifest.engine, ...rest })
  output.result(text)
  return preview.warnings
}

/** Ends a restore that is only to show what it would do. */
const dryRun = new Error('dry run')

const losing: readonly string[] = ['replace', 'clean']

function describe(preview: FileRestorePreview, file: DumpFile, driver: Driver, { output }: Cli): string {
  const { errorPaint: paint } = output
  const { manifest, isBackup, wrappings, database, mode, problems, warnings } = preview
  const version = manifest.serverVersion === '' ? '' : ` ${manifest.serverVersion}`
  const wrapped = wrappings.length > 0 ? `, in ${wrappings.join(' in ')}` : ''
  const what = isBackup
    ? `backup ${manifest.id.slice(-8)} of ${manifest.database}`
    : `a dump of ${manifest.engine}${version}`
  const now = !database
    ? 'is made new'
    : database.empty
      ? 'exists, and is empty'
      : `exists, and holds ${counted(database.tables, 'table')}, ${formatBytes(database.sizeBytes)}`
  const lines: [string, string][] = [
    ['File', visible(file.display)],
    ['Holds', visible(what) + wrapped],
    ['Into', `${paint.strong(driver.display)}, which ${now}`],
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

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  BackupError,
  createHoldfast,
  type Driver,
  type DumpFile,
  dumpFromStream,
  dumpOnDisk,
  dumpOnStorage,
  type FileRestorePreview,
  type Storage,
} from '@holdfast/core'
import type { Cli } from '../cli.js'
import { isSourceUrl, schemeOf } from '../configuration/plugins.js'
import { readingCiphers } from '../configuration/reading-keys.js'
import { chooseStorages, loggerTo, readSetup, type Setup } from '../configuration/setup.js'
import { storageFromText } from '../configuration/storage-from-text.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatDuration } from '../output/format-duration.js'
import { createProgress } from '../output/progress.js'
import { visible } from '../output/visible.js'
import type { RestoreCommandOptions } from './restore-options.js'
import { cappedJobs, confirmRestore, intoDriver, modeOf, noTarget } from './restore-target.js'

/**
 * Whether the argument of `restore` names a file: `-`, the URL of an object, a path, or what lies there and cannot be
 * the name of a backup.
 */
export function namesFile(argument: string | undefined, { cwd }: { readonly cwd: string }): argument is string {
  if (argument === undefined) return false
  if (argument === '-' || isSourceUrl(argument) || /[\\/]/.test(argument)) return true
  return argument.includes('.') && (statSync(resolve(cwd, argument), { throwIfNoEntry: false })?.isFile() ?? false)
}

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
  await using opened = await openFile(argument, setup, cli)
  const jobs = setup.file === undefined ? {} : await setup.jobs()
  const storages = setup.file === undefined ? {} : await chooseStorages(undefined, setup, cli, false)
  await using holdfast = createHoldfast({ ...setup.config, storages, jobs, logger: loggerTo(cli) })
  const { file } = opened
  using progress = createProgress(file.name, cli.world, output, cli.options)
  const mode = modeOf(options)
  const result = await holdfast.restoreFile(file, {
    signal,
    onProgress: progress.report,
    into: driver,
    ciphers: await readingCiphers(options, setup, cli),
    sections: options.schemaOnly ? 'schema' : options.dataOnly ? 'data' : 'all',
    ...(mode && { mode }),
    ...(options.tables && { tables: options.tables }),
    ...(options.jobs !== undefined && { jobs: cappedJobs(options.jobs, cli) }),
    ...(options.terminate && { terminateConnections: true }),
    ...(options.owner === false && { noOwner: true }),
    ...(options.privileges === false && { noPrivileges: true }),
    confirm: (preview) => confirm(preview, file, driver, options, cli),
  })
  progress[Symbol.dispose]()
  const { manifest, ...rest } = result
  output.document({ status: 'restored', file: file.display, engine: manifest.engine, ...rest })
  const { paint } = output
  output.result(
    [
      `${visible(file.display)} is ${paint.good('restored')} into ${result.target} in ${formatDuration(result.durationMs)}`,
      ...(result.old ? [`  what was there before is kept as ${result.old.name}; holdfast restore undo goes back`] : []),
      ...result.warnings.map((warning) => `  ${paint.warning('warning:')} ${visible(warning)}`),
    ].join('\n'),
  )
  return exitCodes.done
}

async function confirm(
  preview: FileRestorePreview,
  file: DumpFile,
  driver: Driver,
  options: RestoreCommandOptions,
  cli: Cli,
): Promise<void> {
  const say = options.yes ? cli.output.note : cli.output.error // nobody is asked about what was not shown
  say(describe(preview, file, driver, cli))
  const loses = preview.database !== undefined && !preview.database.empty && losing.includes(preview.mode)
  await confirmRestore(loses ? driver.database : undefined, options, cli)
}

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
      : `exists, and holds ${database.tables} tables, ${formatBytes(database.sizeBytes)}`
  const lines: [string, string][] = [
    ['File', visible(file.display)],
    ['Holds', visible(what) + wrapped],
    ['Into', `${paint.strong(driver.display)}, which ${now}`],
    ['How', ways[mode]],
    ...problems.map(({ message }): [string, string] => ['Problem', paint.bad(visible(message))]),
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

interface OpenedFile extends AsyncDisposable {
  readonly file: DumpFile
}

async function openFile(argument: string, setup: Setup, { world }: Cli): Promise<OpenedFile> {
  const nothing = { async [Symbol.asyncDispose]() {} }
  if (argument === '-') {
    if (world.stdin.isTTY) throw nothingComesIn()
    return { file: dumpFromStream('standard input', inputOf(world)), ...nothing }
  }
  const scheme = schemeOf(argument)
  if (scheme === undefined) return { file: dumpOnDisk(resolve(world.cwd, argument)), ...nothing }
  if (scheme === 'file') return { file: dumpOnDisk(decodeURIComponent(new URL(argument).pathname)), ...nothing }
  const { place, key } = splitUrl(argument)
  const storage: Storage = await storageFromText(place, { cwd: world.cwd, read: setup.read, create: false })
  return { file: dumpOnStorage(storage, key), [Symbol.asyncDispose]: async () => storage.close?.() }
}

function nothingComesIn(): BackupError {
  return new BackupError('config-invalid', {
    message: 'Standard input is a terminal: no dump comes in there',
    hint: 'Redirect a file (< FILE), or pipe a program into it, with --yes as nobody can be asked then.',
  })
}

async function* inputOf({ stdin }: Cli['world']): AsyncGenerator<Uint8Array> {
  for await (const chunk of stdin) yield Buffer.from(chunk)
}

/** `s3://bucket/prefix/key?region=x` → the storage `s3://bucket/prefix?region=x`, and the key. */
function splitUrl(url: string): { readonly place: string; readonly key: string } {
  const [path = '', query] = url.split(/(?=\?)/s)
  const cut = path.lastIndexOf('/')
  return { place: path.slice(0, cut) + (query ?? ''), key: decodeURIComponent(path.slice(cut + 1)) }
}

import {
  BackupError,
  type BackupResult,
  createHoldfast,
  type Holdfast,
  type InventoryLevel,
  type JobConfig,
} from '@holdfast/core'
import type { Cli } from '../cli.js'
import { compressionFrom, refuseEncryption } from '../configuration/from-environment.js'
import { isSourceUrl } from '../configuration/plugins.js'
import { chooseStorages, loggerTo, readSetup, type Setup, urlFrom } from '../configuration/setup.js'
import { sourceFromText } from '../configuration/source-from-text.js'
import { type ExitCode, exitCodeFor, exitCodes } from '../exit-codes.js'
import { backupDocument } from '../output/backup-document.js'
import { codeOf, describeError, type ErrorDocument, errorDocument } from '../output/errors.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatDuration } from '../output/format-duration.js'
import { createProgress, type Progress } from '../output/progress.js'

/** Options of `holdfast backup`. */
export interface BackupCommandOptions {
  readonly urlFile?: string
  readonly to?: readonly string[]
  readonly tables?: readonly string[]
  readonly excludeTables?: readonly string[]
  readonly schemaOnly?: boolean
  readonly dataOnly?: boolean
  readonly format?: string
  readonly compress?: string
  readonly label?: string
  readonly minCopies?: number
  readonly inventory?: InventoryLevel
  readonly globals?: boolean
  readonly binDir?: string
}

type Jobs = Readonly<Record<string, JobConfig>>
type Outcome = { readonly job: string; readonly code: ExitCode; readonly document: object }

/** Backs up jobs, one after the other; one that fails does not keep the next from running. */
export async function backupCommand(
  cli: Cli,
  args: readonly string[],
  options: BackupCommandOptions,
): Promise<ExitCode> {
  const setup = await readSetup(cli, options.to)
  refuseEncryption(setup.read, cli.world.env)
  const storages = options.to || setup.file === undefined ? await chooseStorages(options.to, setup, cli) : undefined
  const chosen = await chooseJobs(args, options, setup, cli)
  const jobs = mapJobs(chosen, (job) => adjust(job, options, storages && Object.keys(storages), setup))
  await using holdfast = createHoldfast({
    ...setup.config,
    storages: { ...(await namedStorages(setup)), ...storages },
    jobs,
    logger: loggerTo(cli),
  })
  const outcomes: Outcome[] = []
  for (const job of Object.keys(jobs)) outcomes.push(await backUp(job, holdfast, options, cli))
  const [only, another] = outcomes
  if (only) cli.output.document(another ? { backups: outcomes.map(({ document }) => document) } : only.document)
  return outcomes.find(({ code }) => code !== exitCodes.done)?.code ?? exitCodes.done
}

async function chooseJobs(
  args: readonly string[],
  options: BackupCommandOptions,
  setup: Setup,
  cli: Cli,
): Promise<Jobs> {
  const [argument] = args.filter(isSourceUrl)
  const url = urlFrom({ argument, file: options.urlFile }, '--url-file', cli)
  if (url !== undefined) return jobOfUrl(url, args, options, setup)
  const jobs = await setup.jobs(sourceOptions(options))
  const unchangeable = setup.file !== undefined && (options.globals || options.binDir !== undefined)
  if (unchangeable) {
    throw new BackupError('config-invalid', {
      message: '--globals and --bin-dir go with a URL; here the source comes from the config file',
      hint: `Set globals or binDir of the source in ${setup.file}.`,
    })
  }
  if (Object.keys(jobs).length === 0) throw nothingToBackUp(setup)
  if (args.length === 0) return jobs
  return Object.fromEntries(args.map((name) => [name, jobNamed(name, jobs)]))
}

async function jobOfUrl(
  url: string,
  args: readonly string[],
  options: BackupCommandOptions,
  setup: Setup,
): Promise<Jobs> {
  const others = args.filter((argument) => !isSourceUrl(argument))
  if (others.length > 0 || args.length > 1) {
    throw new BackupError('config-invalid', { message: 'A URL is backed up by itself: run the command once for each' })
  }
  if (setup.file !== undefined && options.to === undefined) {
    throw new BackupError('config-invalid', {
      message: 'It is not said where the backup is to go',
      hint: 'Add --to with a storage of the configuration, a directory or s3://bucket/prefix.',
    })
  }
  const source = await sourceFromText(url, sourceOptions(options))
  return { [source.database]: { source, storages: [] } }
}

function sourceOptions({ globals, binDir }: BackupCommandOptions): { globals?: true; binDir?: string } {
  return { ...(globals && { globals: true }), ...(binDir !== undefined && { binDir }) }
}

/** The command line over the environment over the config file. */
function adjust(
  job: JobConfig,
  options: BackupCommandOptions,
  storages: readonly string[] | undefined,
  setup: Setup,
): JobConfig {
  const { tables, excludeTables, format, minCopies, inventory, schemaOnly, dataOnly } = options
  const compress = options.compress ?? compressionFrom(setup.read)
  const sections = schemaOnly ? 'schema' : dataOnly ? 'data' : undefined
  return {
    ...job,
    ...(storages && { storages }),
    ...(compress !== undefined && { compress }),
    ...(minCopies !== undefined && { minCopies }),
    ...(inventory !== undefined && { inventory }),
    dump: {
      ...job.dump,
      ...(tables && { tables }),
      ...(excludeTables && { excludeTables }),
      ...(format !== undefined && { format }),
      ...(sections && { sections }),
    },
  }
}

async function backUp(job: string, holdfast: Holdfast, options: BackupCommandOptions, cli: Cli): Promise<Outcome> {
  const { output, signal } = cli
  try {
    using progress = createProgress(job, cli.world, output, cli.options)
    if (cli.world.stderr.isTTY && !output.quiet) void expectLastSize(job, holdfast, progress, signal)
    const result = await holdfast.backup(job, {
      signal,
      onProgress: progress.report,
      ...(options.label !== undefined && { label: options.label }),
    })
    progress[Symbol.dispose]()
    output.result(describeResult(result, cli))
    const { backup, ...rest } = result
    const code = result.status === 'partial' ? exitCodes.partial : exitCodes.done
    return { job, code, document: { ...rest, backup: backupDocument(backup) } }
  } catch (error) {
    if (signal.aborted || holdfast.jobs.length === 1) throw error
    output.error(describeError(error, output.errorPaint, output.verbose))
    const document: ErrorDocument & { job: string; status: string } = { job, status: 'failed', ...errorDocument(error) }
    return { job, code: exitCodeFor(cli.command, codeOf(error)), document }
  }
}

/** The compressed size cannot be known beforehand; that of the last backup is near. */
async function expectLastSize(job: string, holdfast: Holdfast, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    const { backups } = await holdfast.list({ job, signal })
    if (backups[0]) progress.expect(backups[0].storedBytes)
  } catch {
    // The run itself tells what is wrong with the storages.
  }
}

function describeResult(
  { status, backup, copies, filled, warnings, durationMs }: BackupResult,
  { output }: Cli,
): string {
  const { paint } = output
  const plain = backup.plainBytes === undefined ? '' : ` (${formatBytes(backup.plainBytes)} before compression)`
  const state = {
    complete: paint.good('complete'),
    complete_with_warnings: paint.warning('complete, with warnings'),
    partial: paint.warning('partial'),
  }[status]
  const width = Math.max(...copies.map(({ storage }) => storage.length))
  return [
    `Backup ${paint.strong(backup.shortId)} of ${backup.job} is ${state}: ${formatBytes(backup.storedBytes)}${plain} in ${formatDuration(durationMs)}`,
    ...copies.map(({ storage, status: copy, error }) =>
      copy === 'complete'
        ? `  ${storage.padEnd(width)}  ${paint.good('complete')}`
        : `  ${storage.padEnd(width)}  ${paint.bad('failed')}: ${error ?? 'no reason was given'}`,
    ),
    ...filled.map(({ base, from, to }) => `  ${to}: filled in ${base.slice(base.lastIndexOf('/') + 1)} from ${from}`),
    ...warnings.map((warning) => `  ${paint.warning('warning:')} ${warning}`),
  ].join('\n')
}

async function namedStorages(setup: Setup): Promise<Awaited<ReturnType<Setup['storages']>>> {
  return setup.file === undefined ? {} : setup.storages()
}

function mapJobs(jobs: Jobs, change: (job: JobConfig) => JobConfig): Jobs {
  return Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, change(job)]))
}

function jobNamed(name: string, jobs: Jobs): JobConfig {
  const job = jobs[name]
  if (job) return job
  throw new BackupError('no-match', {
    message: `No job is called ${JSON.stringify(name)}`,
    hint: `There are: ${Object.keys(jobs).join(', ')}. A database that is no job is named by its URL.`,
  })
}

function nothingToBackUp({ file }: Setup): BackupError {
  return new BackupError('config-invalid', {
    message: file ? `${file} has no jobs` : 'There is nothing to back up: no config file, no DATABASE_URL and no URL',
    hint: 'For example: holdfast backup postgres://user@host/database --to ./backups',
  })
}

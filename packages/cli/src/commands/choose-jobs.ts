import {
  BackupError,
  type Driver,
  type InventoryLevel,
  type JobConfig,
  messageOf,
  parseCompression,
} from '@holdfast/core'
import type { Cli } from '../cli.js'
import { askingSource } from '../configuration/asking-source.js'
import { encryptionFrom } from '../configuration/encryption.js'
import { compressionFrom } from '../configuration/from-environment.js'
import { ownEntry } from '../configuration/own-entry.js'
import { isSourceUrl } from '../configuration/plugins.js'
import { retentionFrom, retentionOn } from '../configuration/retention.js'
import { type Setup, urlFrom } from '../configuration/setup.js'

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
  readonly ageRecipient?: readonly string[]
  readonly label?: string
  readonly minCopies?: number
  readonly inventory?: InventoryLevel
  readonly globals?: boolean
  readonly binDir?: string
}

/** Jobs by name. */
type Jobs = Readonly<Record<string, JobConfig>>

/**
 * The jobs to run, as the command line wants them: those that were named, the database of a URL, or all.
 *
 * @param storages - Names of the storages to write to, where they are not the jobs' own.
 */
export async function chooseJobs(
  args: readonly string[],
  options: BackupCommandOptions,
  storages: readonly string[] | undefined,
  setup: Setup,
  cli: Cli,
): Promise<Jobs> {
  const jobs = Object.entries(await findJobs(args, options, setup, cli))
  return Object.fromEntries(jobs.map(([name, job]) => [name, adjust(job, options, storages, setup)]))
}

async function findJobs(args: readonly string[], options: BackupCommandOptions, setup: Setup, cli: Cli): Promise<Jobs> {
  const [argument] = args.filter(isSourceUrl)
  const url = urlFrom({ argument, file: options.urlFile }, '--url-file', cli)
  if (url !== undefined) return jobOfUrl(url, args, options, setup, cli)
  const jobs = await setup.jobs(sourceOptions(options))
  if (options.globals || options.binDir !== undefined) refuseConfigured(setup, 'globals', 'binDir')
  if (Object.keys(jobs).length === 0) throw nothingToBackUp(setup, args[0])
  if (args.length === 0) return jobs
  return Object.fromEntries(args.map((name) => [name, jobNamed(name, jobs)]))
}

async function jobOfUrl(
  url: string,
  args: readonly string[],
  options: BackupCommandOptions,
  setup: Setup,
  cli: Cli,
): Promise<Jobs> {
  const others = args.filter((argument) => !isSourceUrl(argument))
  if (others.length > 0 || args.length > 1) {
    throw new BackupError('config-invalid', {
      message: 'A URL is backed up by itself',
      hint: 'Run the command once for each URL, and once for the jobs. The place for the backups is given with --to.',
    })
  }
  if (setup.file !== undefined && options.to === undefined) {
    throw new BackupError('config-invalid', {
      message: 'It is not said where the backup is to go',
      hint: 'Add --to with a storage of the configuration, a directory, s3://bucket/prefix or sftp://user@host/dir.',
    })
  }
  const source = await askingSource(url, sourceOptions(options), cli)
  if (source.database === '') {
    throw new BackupError('config-invalid', {
      message: 'The URL does not say which database',
      hint: 'Add the name at its end, as in mariadb://user@host:3306/database.',
    })
  }
  return { [source.database]: { source, storages: [] } }
}

/** @throws {BackupError} `config-invalid` where a config file says how a source is reached, and options would too. */
export function refuseConfigured({ file }: Setup, ...settings: readonly string[]): void {
  if (file === undefined) return
  const options = settings.map((name) => `--${name.replace('binDir', 'bin-dir')}`).join(' and ')
  throw new BackupError('config-invalid', {
    message: `${options} ${settings.length === 1 ? 'goes' : 'go'} with a URL; here the source comes from the config file`,
    hint: `Set ${settings.join(' or ')} of the source in ${file}.`,
  })
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
  if (compress !== undefined) requireCompression(compress, options.compress === undefined)
  if (format !== undefined) requireFormat(format, job.source)
  const encrypt = encryptionFrom(options, setup.read, job.encrypt)
  const retention = retentionFrom(undefined, setup.read)
  const sections = schemaOnly ? 'schema' : dataOnly ? 'data' : undefined
  return {
    ...job,
    ...(storages && { storages, ...retentionOn(storages, job) }),
    ...(compress !== undefined && { compress }),
    ...(encrypt && { encrypt }),
    ...(retention && { retention }),
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

function requireCompression(text: string, isFromEnvironment: boolean): void {
  try {
    parseCompression(text)
  } catch (error) {
    const shown = JSON.stringify(text)
    const problem = messageOf(error)
    throw new BackupError('config-invalid', {
      message: `${isFromEnvironment ? 'BACKUP_COMPRESSION' : '--compress'}: ${problem}${problem.includes(shown) ? '' : ` (it is ${shown})`}`,
      hint: 'zstd, zstd:9, gzip, gzip:6 and none are possible.',
      cause: error,
    })
  }
}

/** Before anything is connected to. */
function requireFormat(format: string, { engine, formats }: Driver): void {
  if (formats === undefined || formats.includes(format)) return
  throw new BackupError('config-invalid', {
    message: `--format ${format}: ${engine} has no dump format of that name`,
    hint: `There are: ${formats.join(', ')}.`,
  })
}

function jobNamed(name: string, jobs: Jobs): JobConfig {
  const job = ownEntry(jobs, name)
  if (job) return job
  throw new BackupError('no-match', {
    message: `No job is called ${JSON.stringify(name)}`,
    hint: `There are: ${Object.keys(jobs).join(', ')}. A database that is no job is named by its URL.`,
  })
}

function nothingToBackUp({ file }: Setup, named: string | undefined): BackupError {
  const hint =
    'For example: holdfast backup postgres://user@host/database --to ./backups; or sqlite:./app.db for a file.'
  if (file) return new BackupError('config-invalid', { message: `${file} has no jobs`, hint })
  const message =
    named === undefined
      ? 'There is nothing to back up: no config file, no DATABASE_URL and no URL'
      : `${JSON.stringify(named)} is no URL of a database, and without a config file there are no jobs`
  return new BackupError('config-invalid', { message, hint })
}

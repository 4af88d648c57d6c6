import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  BackupError,
  type HoldfastConfig,
  type JobConfig,
  type LogFields,
  type Logger,
  messageOf,
  type Storage,
} from '@holdfast/core'
import type { Cli } from '../cli.js'
import { passwordsIn, wordsIn } from '../output/scrub.js'
import { environmentReader, type ReadVariable } from './environment-variables.js'
import { findConfigFile } from './find-config-file.js'
import {
  environmentJob,
  sourceFromEnvironment,
  storagesFromEnvironment,
  variablesBesideConfig,
} from './from-environment.js'
import { loadConfig } from './load-config.js'
import { ownEntry } from './own-entry.js'
import { schemeOf } from './plugins.js'
import type { SourceOptions } from './source-from-text.js'
import { storageFromText } from './storage-from-text.js'

/** What the config file, or without one the environment, says. */
export interface Setup {
  /** The config file, if there is one. */
  readonly file: string | undefined
  readonly config: HoldfastConfig | undefined
  readonly read: ReadVariable
  /** Jobs by name. From the environment there is one at most. */
  jobs(options?: SourceOptions): Promise<Readonly<Record<string, JobConfig>>>
  /**
   * Every storage that has a name.
   *
   * @param create - Whether a directory of the environment is made where it is not there. Default `true`.
   */
  storages(create?: boolean): Promise<Readonly<Record<string, Storage>>>
}

/**
 * Reads the config file, or without one the environment.
 *
 * @param named - Storages that the command line names: one on S3 or SFTP takes its keys from the environment in any case.
 * @throws {BackupError} `config-invalid`.
 */
export async function readSetup({ world, options, output }: Cli, named: readonly string[] = []): Promise<Setup> {
  const file = findConfigFile(options.config, world.cwd)
  const read = environmentReader(world.env)
  if (file === undefined) return fromEnvironment(world, read, output.warn)
  const { config, variablesRead } = await loadConfig(file)
  output.debug(`Configuration: ${file}`)
  const schemes = named.map(schemeOf)
  const isUsed = (name: string): boolean =>
    (schemes.includes('s3') && /^(?:S3|MINIO)_/.test(name)) || (schemes.includes('sftp') && name.startsWith('SFTP_'))
  const ignored = variablesBesideConfig(world.env).filter((name) => !variablesRead.has(name) && !isUsed(name))
  if (ignored.length > 0) {
    const [verb, them] = ignored.length === 1 ? ['is', 'it'] : ['are', 'them']
    output.warn(`${ignored.join(', ')} ${verb} ignored: ${file} says where backups come from and go. Unset ${them}.`)
  }
  Object.keys(config.jobs ?? {}).forEach(output.spare)
  const storages = storagesOf(config)
  return { file, config, read, jobs: async () => config.jobs ?? {}, storages: async () => storages }
}

function fromEnvironment(world: Cli['world'], read: ReadVariable, warn: (message: string) => void): Setup {
  let made: Promise<Readonly<Record<string, Storage>>> | undefined
  const storages = (create?: boolean): Promise<Readonly<Record<string, Storage>>> => {
    made ??= storagesFromEnvironment(world, warn, create) // once, as one storage is one object
    return made
  }
  return {
    file: undefined,
    config: undefined,
    read,
    storages,
    async jobs(options = {}) {
      const source = await sourceFromEnvironment(read, options)
      return source ? { [environmentJob]: { source, storages: Object.values(await storages()) } } : {}
    },
  }
}

/** Those with a name of their own, and those that stand in jobs. */
function storagesOf(config: HoldfastConfig): Readonly<Record<string, Storage>> {
  const inJobs = Object.values(config.jobs ?? {}).flatMap((job) =>
    (job?.storages ?? []).flatMap((storage) => (typeof storage === 'string' ? [] : [[storage.name, storage] as const])),
  )
  return { ...Object.fromEntries(inJobs), ...config.storages }
}

/**
 * The storages that were named on the command line: by the name that the configuration gives them, else as a
 * directory or URL. Without any, all of the setup.
 *
 * @param create - `false` for what only reads: a directory that is not there is an error then, and is not made.
 */
export async function chooseStorages(
  named: readonly string[] | undefined,
  setup: Setup,
  { world, output }: Cli,
  create: boolean = true,
): Promise<Readonly<Record<string, Storage>>> {
  if (named === undefined || named.length === 0) return setup.storages(create)
  const known = setup.file === undefined ? {} : await setup.storages()
  const chosen: Record<string, Storage> = {}
  for (const text of named) {
    const configured = ownEntry(known, text)
    if (setup.file !== undefined && !configured) requirePlace(text, Object.keys(known))
    if (passwordsIn(text).length > 0) output.warn(`${seenByOthers} Better: SFTP_PASSWORD, or a key.`)
    const storage = configured ?? (await storageFromText(text, { cwd: world.cwd, read: setup.read, create }))
    const other = Object.values(chosen).find(({ display }) => display === storage.display)
    if (other) {
      throw new BackupError('config-invalid', {
        message: `${other.name} and ${text} are the same place, ${storage.display}`,
        hint: 'Name it once.',
      })
    }
    chosen[configured ? text : storage.name] = storage
  }
  return chosen
}

/** Beside a config file a bare word is a name, and a wrong one must not become a new directory. */
function requirePlace(text: string, known: readonly string[]): void {
  if (/[\\/]/.test(text) || text === '.' || text === '..') return
  throw new BackupError('no-match', {
    message: `No storage is called ${JSON.stringify(text)}`,
    hint: `There are: ${known.join(', ')}. A directory is written ./${text}.`,
  })
}

const seenByOthers = 'The password on the command line can be seen by other users of this machine.'

/** A URL given as an argument, or in a file; a password in an argument is warned of. */
export function urlFrom(
  given: { readonly argument?: string | undefined; readonly file?: string | undefined },
  fileOption: string,
  { world, output }: Cli,
): string | undefined {
  if (given.argument !== undefined && given.file !== undefined) {
    throw new BackupError('config-invalid', {
      message: `The database is named twice: by a URL and by ${fileOption}`,
      hint: 'Keep one of them.',
    })
  }
  const text = given.file === undefined ? given.argument : readUrlFile(resolve(world.cwd, given.file), fileOption)
  const passwords = passwordsIn(text ?? '')
  if (passwords.includes('***')) {
    throw new BackupError('config-invalid', {
      message: 'The URL has *** where its password belongs',
      hint: `Output shows *** in place of every password. Put the password there, better in a file with ${fileOption}.`,
    })
  }
  passwords.forEach(output.hide)
  wordsIn(text ?? '').forEach(output.spare)
  if (given.argument !== undefined && passwords.length > 0) {
    const libpq = /^postgres(?:ql)?:/i.test(given.argument) ? ', PGPASSWORD or ~/.pgpass' : ''
    output.warn(`${seenByOthers} Better: ${fileOption} FILE${libpq}.`)
  }
  return text
}

function readUrlFile(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new BackupError('config-invalid', {
      message: `The file given with ${option} cannot be read: ${messageOf(error)}`,
      hint: 'Check the path and its permissions.',
      cause: error,
    })
  }
}

/** Log lines of the engine, on standard error. */
export function loggerTo({ output }: Cli): Logger {
  const text = (message: string, fields?: LogFields): string =>
    output.verbose && fields && Object.keys(fields).length > 0 ? `${message} ${JSON.stringify(fields)}` : message
  return {
    debug: (message, fields) => output.debug(text(message, fields)),
    info: (message, fields) => output.debug(text(message, fields)),
    warn: (message, fields) => output.warn(text(message, fields)),
    error: (message, fields) => output.warn(text(message, fields)),
  }
}

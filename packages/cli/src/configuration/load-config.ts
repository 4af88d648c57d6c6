import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { dirname, extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  BackupError,
  defineConfig,
  type HoldfastConfig,
  isBackupError,
  messageOf,
  withoutDatabase,
} from '@holdfast/core'
import { configFromData } from './config-from-data.js'

/** A config file, read. */
export interface LoadedConfig {
  readonly config: HoldfastConfig
  /** Environment variables that it read. */
  readonly variablesRead: ReadonlySet<string>
}

/**
 * Loads a config file. TypeScript and JavaScript run as they are (Node strips the types); JSON and YAML name their
 * plugins. Relative paths in it start at its own directory.
 *
 * @throws {BackupError} `config-invalid`, naming the file.
 */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  const { result, variablesRead } = await inDirectoryOf(path, () => readAndCheck(path))
  return { config: withNamedSources(result, path, variablesRead), variablesRead }
}

async function readAndCheck(path: string): Promise<HoldfastConfig> {
  try {
    return defineConfig(await readConfig(path))
  } catch (error) {
    if (!isBackupError(error) || error.message.includes(path)) throw error
    throw new BackupError(error.code, { message: `${path}: ${error.message}`, hint: error.hint, cause: error })
  }
}

/** A source that cannot be used says which job it is of, where that stands, and what this host lacks. */
function withNamedSources(config: HoldfastConfig, path: string, variablesRead: ReadonlySet<string>): HoldfastConfig {
  const text = readFileSync(path, 'utf8') // what it imports reads variables too, which are not meant
  const unset = [...variablesRead].filter((name) => text.includes(name) && !process.env[name])
  const jobs = Object.entries(config.jobs).map(([name, job]) => {
    const { unusable } = job.source
    if (!unusable) return [name, job] as const
    const problem = new BackupError(unusable.code, {
      message: `${path}: jobs.${name}.source: ${unusable.message}`,
      hint: [unset.length > 0 ? `Not set are: ${unset.join(', ')}.` : undefined, unusable.hint]
        .filter(Boolean)
        .join(' '),
      cause: unusable,
    })
    return [name, { ...job, source: withoutDatabase(problem, job.source) }] as const
  })
  return { ...config, jobs: Object.fromEntries(jobs) }
}

async function readConfig(path: string): Promise<HoldfastConfig> {
  const kind = extname(path)
  if (kind === '.json') return configFromData(parseJson(path), path)
  if (kind === '.yaml' || kind === '.yml') return configFromData(await parseYaml(path), path)
  const loaded = await importConfig(path)
  const config: unknown = await loaded.default
  if (typeof config === 'object' && config !== null) return config as HoldfastConfig
  throw new BackupError('config-invalid', {
    message: `${path} does not export a configuration`,
    hint: 'End it with `export default defineConfig({ … })`.',
  })
}

async function importConfig(path: string): Promise<{ default?: unknown }> {
  const hooks = registerHooks({ resolve: resolveOwnPackages })
  try {
    return (await import(pathToFileURL(path).href)) as { default?: unknown }
  } catch (error) {
    if (isBackupError(error)) throw error
    throw new BackupError('config-invalid', {
      message: `${path} cannot be loaded: ${messageOf(error)}`,
      hint: hintFor(error),
      cause: error,
    })
  } finally {
    hooks.deregister()
  }
}

/** With `npx holdfast` the packages that a config file imports come with the command, if the project has none. */
const resolveOwnPackages: Parameters<typeof registerHooks>[0]['resolve'] = (specifier, context, nextResolve) => {
  try {
    return nextResolve(specifier, context)
  } catch (error) {
    if (!specifier.startsWith('@holdfast/')) throw error
    return nextResolve(specifier, { ...context, parentURL: import.meta.url })
  }
}

function hintFor(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ERR_MODULE_NOT_FOUND') return 'Install what it imports in the project of the config file.'
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return 'Node strips types alone: no enums, no parameter properties.'
  return 'Run `node --check` on it, or this command with --verbose.'
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function parseYaml(path: string): Promise<unknown> {
  const { parse } = await import('yaml')
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): BackupError {
  return new BackupError('config-invalid', {
    message: `${path} cannot be read: ${messageOf(error)}`,
    hint: 'Correct what it says there.',
    cause: error,
  })
}

/** Works in the directory of the file, and watches which environment variables are read meanwhile. */
async function inDirectoryOf<Result>(
  path: string,
  work: () => Promise<Result>,
): Promise<{ result: Result; variablesRead: ReadonlySet<string> }> {
  const { env } = process
  const cwd = process.cwd()
  const variablesRead = new Set<string>()
  process.env = new Proxy(env, {
    get(target, name, receiver) {
      if (typeof name === 'string') variablesRead.add(name)
      return Reflect.get(target, name, receiver) as string | undefined
    },
  })
  process.chdir(dirname(path))
  try {
    return { result: await work(), variablesRead }
  } finally {
    process.env = env
    process.chdir(cwd)
  }
}

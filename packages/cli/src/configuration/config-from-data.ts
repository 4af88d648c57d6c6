import { dirname } from 'node:path'
import {
  age,
  BackupError,
  type Cipher,
  type Driver,
  gpg,
  type HoldfastConfig,
  type JobConfig,
  type Storage,
  secretProblem,
  secretValue,
  withoutDatabase,
} from '@holdfast/core'
import { driverPlugins, schemeOf, storagePlugins } from './plugins.js'
import { retentionFromData } from './retention-from-data.js'
import { sourceFromText } from './source-from-text.js'
import { storageFromText } from './storage-from-text.js'

type Data = Readonly<Record<string, unknown>>

/**
 * A configuration from a JSON or YAML file, in which drivers and storages are named: by URL, by
 * `{ driver: 'postgres', … }` and `{ kind: 's3', … }`, or as `{ env: 'NAME' }` and `{ file: '/run/secrets/x' }` that
 * hold a URL.
 *
 * @throws {BackupError} `config-invalid`, naming the path within the file.
 */
export async function configFromData(data: unknown, path: string): Promise<HoldfastConfig> {
  const cwd = dirname(path)
  if (!isObject(data)) throw invalid('the configuration', 'must be an object with `storages` and `jobs`')
  const storages: Record<string, Storage> = {}
  for (const [name, value] of entriesOf(data.storages, 'storages')) {
    storages[name] = await storageFrom(value, `storages.${name}`, name, cwd)
  }
  const jobs: Record<string, JobConfig> = {}
  for (const [name, value] of entriesOf(data.jobs, 'jobs')) jobs[name] = await jobFrom(value, `jobs.${name}`, cwd)
  const ciphers = Array.isArray(data.ciphers)
    ? { ciphers: data.ciphers.map((value: unknown, index) => cipherFrom(value, `ciphers.${index}`)) }
    : {}
  return { ...data, ...ciphers, storages, jobs } as HoldfastConfig
}

async function jobFrom(value: unknown, at: string, cwd: string): Promise<JobConfig> {
  if (!isObject(value)) throw invalid(at, 'must be an object with `source` and `storages`')
  const source = value.source === undefined ? {} : { source: await sourceFrom(value.source, `${at}.source`) }
  const storages =
    value.storages === undefined ? {} : { storages: await storagesFrom(value.storages, `${at}.storages`, cwd) }
  const encrypt = value.encrypt === undefined ? {} : { encrypt: cipherFrom(value.encrypt, `${at}.encrypt`) }
  const verify = value.verify === undefined ? {} : { verify: await verifyFrom(value.verify, `${at}.verify`) }
  const retention =
    value.retention === undefined ? {} : { retention: retentionFromData(value.retention, `${at}.retention`) }
  return { ...value, ...source, ...encrypt, ...verify, ...retention, ...storages } as unknown as JobConfig // what is missing is told with the rest
}

async function storagesFrom(value: unknown, at: string, cwd: string): Promise<(string | Storage)[]> {
  const named = typeof value === 'string' ? [value] : value
  if (!Array.isArray(named)) throw invalid(at, 'must be a list of storages')
  return Promise.all(
    named.map((each: unknown, index) =>
      typeof each === 'string' && !looksLikePlace(each) ? each : storageFrom(each, `${at}.${index}`, undefined, cwd),
    ),
  )
}

/** `{ cipher: 'age', recipients: […] }`, `{ cipher: 'gpg', … }`, or the recipient of age alone. */
function cipherFrom(value: unknown, at: string): Cipher {
  if (isObject(value)) refuseType(value, at, 'cipher', ['age', 'gpg'])
  const { cipher, ...options } =
    typeof value === 'string' ? { cipher: 'age', recipients: value } : isObject(value) ? value : {}
  if (cipher !== 'age' && cipher !== 'gpg') {
    throw invalid(
      at,
      "must be a recipient (age1…), { cipher: 'age', recipients: … } or { cipher: 'gpg', recipients: … }",
    )
  }
  try {
    return cipher === 'age' ? age(options) : gpg(options)
  } catch (error) {
    throw error instanceof BackupError ? invalid(at, error.message) : error
  }
}

/** The server for test restores is named as a source is. */
async function verifyFrom(value: unknown, at: string): Promise<unknown> {
  if (!isObject(value) || !isObject(value.testRestore) || value.testRestore.on === undefined) return value
  const on = await sourceFrom(value.testRestore.on, `${at}.testRestore.on`)
  return { ...value, testRestore: { ...value.testRestore, on } }
}

async function sourceFrom(value: unknown, at: string): Promise<Driver> {
  const missing = secretProblem(value)
  if (missing !== undefined) return withoutDatabase(missingSetting(missing))
  const text = textFrom(value, at)
  if (text !== undefined) return within(at, () => sourceFromText(text))
  if (!isObject(value)) throw invalid(at, 'must be a URL such as postgres://user@host/database, or { driver: … }')
  const ids = driverPlugins.map((each) => each.id)
  refuseType(value, at, 'driver', ids)
  const { driver, kind, ...options } = value
  const id = driver ?? kind ?? 'postgres'
  const plugin = driverPlugins.find((each) => each.id === id)
  if (!plugin) throw invalid(`${at}.driver`, `must be one of ${ids.join(', ')}`)
  return within(at, async () => (await plugin.load()).create(options))
}

async function storageFrom(value: unknown, at: string, name: string | undefined, cwd: string): Promise<Storage> {
  const text = textFrom(value, at)
  const given = name === undefined ? {} : { name }
  if (text !== undefined) return within(at, () => storageFromText(text, { cwd, ...given }))
  if (!isObject(value)) throw invalid(at, 'must be a directory, a URL such as s3://bucket/prefix, or { kind: … }')
  const ids = storagePlugins.map((each) => each.id)
  refuseType(value, at, 'kind', ids)
  const { kind, driver, url, ...options } = value
  const urlText = url === undefined ? undefined : textFrom(url, `${at}.url`)
  const id = kind ?? driver ?? idOf(urlText, options)
  const plugin = storagePlugins.find((each) => each.id === id)
  if (!plugin) throw invalid(`${at}.kind`, `must be one of ${ids.join(', ')}`)
  return within(at, async () => {
    const { fromUrl, create } = await plugin.load()
    return create({ ...(urlText !== undefined && (fromUrl(urlText) as object)), ...options, ...given })
  })
}

/** Which storage options without a kind are of; that of a scheme which none has is told with the kinds there are. */
function idOf(url: string | undefined, options: Data): string {
  if (url === undefined) return options.bucket === undefined ? 'local' : 's3'
  const scheme = schemeOf(url) ?? 'file'
  return storagePlugins.find(({ schemes }) => schemes.includes(scheme))?.id ?? scheme
}

/** What other programs call `type` has a word of its own for each thing here; no plugin has a setting of that name. */
function refuseType({ type }: Data, at: string, word: string, ids: readonly string[]): void {
  if (type === undefined) return
  const example = ids.find((id) => id === type) ?? ids.join(' or ')
  throw invalid(`${at}.type`, `is not a known setting; which one it is is said by \`${word}: ${example}\``)
}

/** A text as it stands, or from where `{ env }` or `{ file }` says; `undefined` for anything else. */
function textFrom(value: unknown, at: string): string | undefined {
  if (typeof value === 'string') return value
  if (!isObject(value)) return undefined
  const [[key, place] = [], another] = Object.entries(value)
  if (another !== undefined || typeof place !== 'string') return undefined
  if (key !== 'env' && key !== 'file') return undefined
  const problem = secretProblem(value)
  if (problem !== undefined) throw invalid(at, problem)
  return secretValue.parse(value).reveal()
}

/** Names are looked up among the storages; places stand for themselves. */
function looksLikePlace(text: string): boolean {
  return text.includes('/') || text.includes('\\')
}

async function within<Result>(at: string, make: () => Promise<Result>): Promise<Result> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof BackupError)) throw error
    throw new BackupError(error.code, { message: `${at}: ${error.message}`, hint: error.hint, cause: error })
  }
}

function entriesOf(value: unknown, at: string): [string, unknown][] {
  if (value === undefined) return []
  if (!isObject(value)) throw invalid(at, 'must be an object with a name for each')
  return Object.entries(value)
}

/** Of a job's source: other jobs, and a look at the backups, must not suffer from it. */
function missingSetting(problem: string): BackupError {
  const hint = 'Set it where this runs, as a URL such as postgres://user@host/database.'
  return new BackupError('config-invalid', { message: problem, hint })
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(at: string, problem: string): BackupError {
  return new BackupError('config-invalid', { message: `${at}: ${problem}` })
}

import {
  allOf,
  anyOf,
  BackupError,
  everything,
  type KeepOptions,
  keep,
  maxAge,
  maxTotalSize,
  parseRetention,
  type RetentionStrategy,
} from '@holdfast/core'

type Data = Readonly<Record<string, unknown>>

/** Strategies that stand by their name, and what they are made from. */
const named: Readonly<Record<string, (value: unknown, at: string) => RetentionStrategy>> = {
  maxAge: (value) => maxAge(value as `${number}d`),
  maxTotalSize: (value) => maxTotalSize(value as string),
  anyOf: (value, at) => anyOf(...strategiesFrom(value, at)),
  allOf: (value, at) => allOf(...strategiesFrom(value, at)),
}

const keepNames: readonly string[] = [
  'last',
  'hourly',
  'daily',
  'weekly',
  'monthly',
  'yearly',
  'within',
  'timeZone',
] satisfies readonly (keyof KeepOptions)[]

/**
 * A retention from a JSON or YAML file: `7d,4w,12m`, `everything`, `{ daily: 7, weekly: 4 }`, `{ maxAge: 30d }`,
 * `{ maxTotalSize: 50GiB }`, `{ allOf: […] }`, `{ anyOf: […] }`; or one of these for each storage, by its name.
 *
 * @throws {BackupError} `config-invalid`, naming the path within the file.
 */
export function retentionFromData(
  value: unknown,
  at: string,
): RetentionStrategy | Readonly<Record<string, RetentionStrategy>> {
  if (!isObject(value) || isStrategy(value)) return strategyFrom(value, at)
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, strategyFrom(own, `${at}.${name}`)]))
}

/** Whether an object is one strategy, rather than one for each storage. */
function isStrategy(value: Data): boolean {
  return Object.keys(value).some((name) => Object.hasOwn(named, name) || keepNames.includes(name))
}

function strategyFrom(value: unknown, at: string): RetentionStrategy {
  try {
    if (value === 'everything') return everything()
    if (typeof value === 'string') return parseRetention(value)
    if (!isObject(value)) throw new Error('must be text such as 7d,4w,12m, or { daily: 7, weekly: 4 }')
    const [[name, options] = [], another] = Object.entries(value)
    const make = name !== undefined && Object.hasOwn(named, name) ? named[name] : undefined
    if (!make) return keep(value as KeepOptions)
    if (another === undefined) return make(options, `${at}.${name}`)
    throw new Error(`${name} stands alone; several are joined by allOf or anyOf`)
  } catch (error) {
    const { message, hint } = error as BackupError
    if (message.startsWith(at)) throw error
    throw new BackupError('config-invalid', { message: `${at}: ${message}`, hint, cause: error })
  }
}

function strategiesFrom(value: unknown, at: string): readonly RetentionStrategy[] {
  if (!Array.isArray(value)) throw new Error('must be a list')
  return value.map((each: unknown, index) => strategyFrom(each, `${at}.${index}`))
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

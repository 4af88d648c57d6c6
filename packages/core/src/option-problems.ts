import type * as z from 'zod'
import { closest } from './closest.js'
import { settingNames } from './setting-names.js'

/**
 * What is wrong with options, in the user's words: the path, the problem, the value where it is short and no secret.
 * One line for each; nothing of the schema's own language.
 *
 * @param known - Names of the settings at a path, for suggestions.
 */
export function optionProblems(
  error: z.ZodError,
  options: unknown,
  known: (path: readonly PropertyKey[]) => readonly string[],
): readonly string[] {
  const firstOfPath = new Map(error.issues.map((issue) => [issue.path.join('.'), issue] as const).reverse())
  const told = error.issues.filter((issue) => issue === firstOfPath.get(issue.path.join('.')))
  return told.flatMap((issue) => explain(issue, options, known))
}

/** {@link optionProblems} of what a schema knows, as one sentence: `port: must be at most 65535 (it is 70000)`. */
export function describeOptionProblems(error: z.ZodError, options: unknown, schema: z.ZodType): string {
  return optionProblems(error, options, (path) => settingNames(schema, path)).join('; ')
}

function explain(
  issue: z.core.$ZodIssue,
  options: unknown,
  known: (path: readonly PropertyKey[]) => readonly string[],
): string[] {
  const path = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    const names = known(issue.path)
    return issue.keys.map((key) => `${path ? `${path}.` : ''}${key}: is not a known setting${closest(key, names)}`)
  }
  const within = misnamed(issue)
  if (within) return within.flatMap((each) => explain(each, options, known))
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    options,
  )
  const missing = value === undefined ? 'is missing; it ' : ''
  return [`${path || 'the configuration'}: ${missing}${problemOf(issue)}${shown(path, value)}`]
}

/** Where a value may have several shapes, and has one of them but for a name: what is wrong with it as that. */
function misnamed(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] | undefined {
  if (issue.code !== 'invalid_union') return undefined
  const near = issue.errors.filter((problems) => problems.some(({ code }) => code === 'unrecognized_keys'))
  if (near.length !== 1) return undefined
  return near[0]?.map((problem) => ({ ...problem, path: [...issue.path, ...problem.path] }))
}

/** zod's own messages speak of inputs and types; ours, which a schema gives, are kept. */
function problemOf(issue: z.core.$ZodIssue): string {
  if (!/^(?:Invalid|Too|Unrecognized|Expected)\b/.test(issue.message)) return issue.message
  if (issue.code === 'invalid_type') return `must be ${typeNames[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value') return `must be ${listOf(issue.values.map((value) => JSON.stringify(value)))}`
  if (issue.code === 'too_small') return issue.minimum === 1 && isSized(issue) ? 'must not be empty' : atLeast(issue)
  if (issue.code === 'too_big') return `must ${isSized(issue) ? 'have' : 'be'} at most ${issue.maximum}${unitOf(issue)}`
  if (issue.code === 'invalid_format' && issue.format === 'url') return 'must be a URL'
  return 'has a value that cannot be used here'
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object with a name for each',
  array: 'a list',
}

type Sized = { readonly origin: string }

function isSized({ origin }: Sized): boolean {
  return origin === 'string' || origin === 'array'
}

function unitOf({ origin }: Sized): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : ''
}

function atLeast(issue: Sized & { readonly minimum: number | bigint; readonly inclusive?: boolean }): string {
  if (issue.inclusive === false) return `must be more than ${issue.minimum}`
  return `must ${isSized(issue) ? 'have' : 'be'} at least ${issue.minimum}${unitOf(issue)}`
}

function listOf(values: readonly string[]): string {
  return values.length > 1 ? `one of ${values.join(', ')}` : values.join('')
}

/** A URL can hold a password, and so can what is called one. */
function shown(path: string, value: unknown): string {
  if (!['string', 'number', 'boolean'].includes(typeof value)) return ''
  const text = JSON.stringify(value)
  if (text.length > 80 || text.includes('://') || /(?:password|secret|token|url|passphrase|key)[^.]*$/i.test(path))
    return ''
  return ` (it is ${text})`
}

import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { Secret } from './secret.js'

/**
 * A secret as a user may write it: the text itself, `{ env: 'NAME' }`, `{ file: '/run/secrets/x' }` or a {@link Secret}.
 * Read once, when the configuration is loaded; a trailing newline of a file is dropped.
 */
export const secretValue: z.ZodType<Secret, string | Secret | { env: string } | { file: string }> = z
  .union(
    [
      z.string().min(1, 'must not be empty'),
      z.instanceof(Secret),
      z.strictObject({ env: z.string().min(1) }),
      z.strictObject({ file: z.string().min(1) }),
    ],
    { error: "must be text, { env: 'NAME' } or { file: '/path' }" },
  )
  .transform((value, context): Secret => {
    if (value instanceof Secret) return value
    if (typeof value === 'string') return new Secret(value)
    const read = 'env' in value ? fromEnvironment(value.env) : fromFile(value.file)
    if (typeof read === 'string') return new Secret(read)
    context.addIssue({ code: 'custom', message: read.problem })
    return z.NEVER
  })

/**
 * Why a secret cannot be read on this host: its variable is not set or empty, its file not there. `undefined` where it
 * can, and for what is none.
 */
export function secretProblem(value: unknown): string | undefined {
  if (value === null || typeof value !== 'object' || value instanceof Secret) return undefined
  const { env, file } = value as { readonly env?: unknown; readonly file?: unknown }
  const read = typeof env === 'string' ? fromEnvironment(env) : typeof file === 'string' ? fromFile(file) : ''
  return typeof read === 'string' ? undefined : read.problem
}

function fromEnvironment(name: string): string | { problem: string } {
  const value = process.env[name]
  if (value) return value
  return { problem: `the environment variable ${name} is ${value === undefined ? 'not set' : 'set, but empty'}` }
}

function fromFile(path: string): string | { problem: string } {
  try {
    const value = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    return value ? value : { problem: `the file ${path} is empty` }
  } catch (error) {
    return { problem: `the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}

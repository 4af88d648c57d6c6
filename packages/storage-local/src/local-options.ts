import { BackupError, describeOptionProblems } from '@holdfast/core'
import * as z from 'zod'

/** Options of a local storage. */
export interface LocalOptions {
  /** Directory that keeps the backups; a relative path is taken from the working directory. */
  readonly path: string
  /** What the storage is called in messages and records. Default `local`. */
  readonly name?: string | undefined
  /** Make the directory when it is missing. Default `true`. */
  readonly create?: boolean | undefined
}

/** {@link LocalOptions} with every default filled in. */
export interface ResolvedLocalOptions {
  readonly path: string
  readonly name: string
  readonly create: boolean
}

/** The schema of {@link LocalOptions}: forms, docs and checks come from it. */
export const localOptions: z.ZodType<ResolvedLocalOptions, LocalOptions> = z.strictObject({
  path: z
    .string()
    .min(1)
    .refine((path) => !path.includes('\0'), 'a path holds no NUL')
    .describe('Directory that keeps the backups; a relative path is taken from the working directory.'),
  name: z.string().min(1).default('local').describe('What the storage is called in messages and records.'),
  create: z
    .boolean()
    .default(true)
    .describe('Make the directory when it is missing. Set false for a mount point that must be there.'),
})

/** @throws {BackupError} `config-invalid`. */
export function parseOptions(options: LocalOptions): ResolvedLocalOptions {
  const result = localOptions.safeParse(options)
  if (result.success) return result.data
  throw new BackupError('config-invalid', {
    message: `The options of a local storage cannot be used: ${describeOptionProblems(result.error, options, localOptions)}`,
    hint: 'A local storage takes `path`, `name` and `create`.',
    cause: result.error,
  })
}

import { BackupError, type Duration, describeOptionProblems, durationValue } from '@holdfast/core'
import * as z from 'zod'

interface Options<Span> {
  /** The database file; a relative path is taken from the working directory. */
  readonly path: string
  /** Directory with room for a copy of the database while it is dumped. Default: the system's for temporary files. */
  readonly tempDir?: string | undefined
  /** How long a restore waits for programs that hold the database. Default 10 seconds. */
  readonly busyTimeout?: Span | undefined
}

/** Options of the SQLite driver, as a user may write them. Time spans are milliseconds or text such as `30s`. */
export type SqliteOptions = Options<Duration>

/** The same as read: time spans in milliseconds. */
export type SqliteSettings = Options<number>

const filePath = z
  .string()
  .min(1)
  .refine((path) => !path.includes('\0'), 'a path holds no NUL')

/** Checks and reads {@link SqliteOptions}. Forms and documentation are made from it. */
export const sqliteOptions: z.ZodType<SqliteSettings, SqliteOptions> = z.strictObject({
  path: filePath
    .refine((path) => path !== ':memory:', 'a database in memory can be copied by its own process only')
    .refine((path) => path === path.trim(), 'a path must not begin or end with white space')
    .describe('The database file; a relative path is taken from the working directory'),
  tempDir: filePath
    .optional()
    .describe("Directory with room for a copy while it is dumped (the system's for temporary files)"),
  busyTimeout: durationValue.optional().describe('How long a restore waits for programs that hold the database (10s)'),
})

/** @throws {BackupError} `config-invalid`, naming each option that is wrong. */
export function parseOptions(options: SqliteOptions): SqliteSettings {
  const result = sqliteOptions.safeParse(options)
  if (result.success) return result.data
  throw new BackupError('config-invalid', {
    message: `The options of the SQLite driver are wrong: ${describeOptionProblems(result.error, options, sqliteOptions)}`,
    hint: 'It takes `path`, `tempDir` and `busyTimeout`.',
    cause: result.error,
  })
}

import { BackupError, describeOptionProblems } from '@holdfast/core'
import type * as z from 'zod'

/**
 * Reads options as a schema has them.
 *
 * @throws {BackupError} `config-invalid`, naming each option that is wrong.
 */
export function parseOptions<Settings, Options>(schema: z.ZodType<Settings, Options>, options: Options): Settings {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  throw new BackupError('config-invalid', {
    message: `The options of the PostgreSQL driver are wrong: ${describeOptionProblems(result.error, options, schema)}`,
  })
}

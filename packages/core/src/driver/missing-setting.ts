import { BackupError } from '../backup-error.js'
import { secretProblem } from '../config-value.js'

/**
 * What this host does not know of how a database is reached: a `url` that is given but undefined, or a `url` or
 * `password` whose variable is not set, or whose file is not there. A driver tells it when the database is needed, not
 * before: {@link withoutDatabase}. Without a look at `url`, a variable that is not set would back up whatever answers at
 * the default place.
 *
 * @param title - What the driver is called: `MySQL`.
 * @param options - Those of the driver, as the user gave them.
 * @returns `config-invalid`, not thrown.
 * @example
 * ```ts
 * import { missingSetting } from '@holdfast/core'
 *
 * const missing = missingSetting('MySQL', { url: { env: 'SHOP_URL' } })
 * console.log(missing?.message) // The url of the MySQL driver: the environment variable SHOP_URL is not set
 * ```
 */
export function missingSetting(
  title: string,
  options: { readonly url?: unknown; readonly password?: unknown },
): BackupError | undefined {
  if ('url' in options && options.url === undefined) {
    return new BackupError('config-invalid', {
      message: `The url of the ${title} driver is given but undefined`,
      hint: "Is the environment variable set from which it is read? { env: 'DATABASE_URL' } in its place names it.",
    })
  }
  for (const name of ['url', 'password'] as const) {
    const problem = secretProblem(options[name])
    if (problem === undefined) continue
    const hint = 'Set it where this runs; what needs no database works without it.'
    return new BackupError('config-invalid', { message: `The ${name} of the ${title} driver: ${problem}`, hint })
  }
  return undefined
}

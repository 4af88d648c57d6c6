import type { PreflightFindings } from '@holdfast/core'
import type { Rights } from './grants.js'
import type { KnownKinds } from './held-kinds.js'
import { quoteAccount } from './quoting.js'
import type { Session } from './session.js'

/**
 * Whether a server with a binary log keeps the user from making triggers and functions: it takes it of few that what
 * these do can be done again from the log.
 *
 * @see https://dev.mysql.com/doc/refman/8.4/en/stored-programs-logging.html
 */
export async function binaryLogFindings(
  session: Session,
  { kinds, isCertain }: KnownKinds,
  { hasGlobally, hasRoles }: Rights,
  user: string,
): Promise<PreflightFindings> {
  const logged = kinds.filter((kind) => kind === 'trigger' || kind === 'function')
  if (logged.length === 0 || trusted.some(hasGlobally) || !(await trustsFew(session))) return nothing
  const message = `The server writes a binary log, for which it lets user ${user} make no ${logged.join(', and no ')}`
  const hint = `GRANT SUPER ON *.* TO ${quoteAccount(user)}; or SET GLOBAL log_bin_trust_function_creators = ON;`
  if (isCertain && !hasRoles) return { problems: [{ message, hint }], warnings: [] }
  return { problems: [], warnings: [`${message}: the restore fails if the dump holds such. ${hint}`] }
}

const nothing: PreflightFindings = { problems: [], warnings: [] }

/** Rights of those of whom the server takes it. */
const trusted = ['SUPER', 'BINLOG ADMIN']

async function trustsFew(session: Session): Promise<boolean> {
  // Not as @@names: those that a later server does not know any more would be errors.
  const rows = await session.query<{ Variable_name: string; Value: string }>(
    `show global variables where variable_name in ('log_bin', 'log_bin_trust_function_creators')`,
  )
  const values = new Map(rows.map(({ Variable_name, Value }) => [Variable_name, Value]))
  return values.get('log_bin') === 'ON' && values.get('log_bin_trust_function_creators') === 'OFF'
}

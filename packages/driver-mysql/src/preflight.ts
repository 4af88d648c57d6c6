import {
  BackupError,
  isBackupError,
  messageOf,
  type PreflightFindings,
  type PreflightProblem,
  type PreflightRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import { appendFindings } from './append-plan.js'
import type { BoundDatabase } from './bound-database.js'
import { type Definition, readDefinitions } from './definitions.js'
import { makesDefinersOwn } from './fill.js'
import { keysFromElsewhere } from './foreign-keys.js'
import { mayNameDefiners } from './grants.js'
import { kindsToMake } from './held-kinds.js'
import { otherFlavourWarnings } from './other-flavour.js'
import { quoteIdentifier } from './quoting.js'
import { remakeProblems } from './remake.js'
import { rightsFindings } from './restore-rights.js'
import { serverName } from './server.js'
import { openSession, type Session, schemaExists } from './session.js'
import { chooseTool } from './tools.js'

/** {@link Driver.preflight} for MySQL and MariaDB. */
export async function findings(
  bound: BoundDatabase,
  from: RestoreSource,
  request: PreflightRequest,
  ctx: RunContext,
): Promise<PreflightFindings> {
  const { connection, settings } = bound
  const problems: PreflightProblem[] = []
  const warnings: string[] = []
  await using session = await openSession(connection, ctx, 'none')
  try {
    const tool = await chooseTool('client', session.server, settings.binDir)
    warnings.push(...otherFlavourWarnings(tool, session.server))
  } catch (error) {
    problems.push(problemOf(error))
  }
  const exists = await schemaExists(session, connection.database)
  if (exists && request.mode !== 'create' && request.mode !== 'append') {
    const found = await exchangeFindings(session, connection.database, request.mode)
    problems.push(...found.problems)
    warnings.push(...found.warnings)
  }
  if (exists && request.mode === 'append') {
    const found = await appendFindings(session, connection.database, from, request)
    problems.push(...found.problems)
    warnings.push(...found.warnings)
  }
  if (!exists && (request.mode === 'clean' || request.mode === 'append')) {
    problems.push({
      message: `There is no database ${quoteIdentifier(connection.database)} to restore into in place`,
      hint: 'Restore with mode create, which makes it.',
    })
  }
  const rights = await rightsFindings(session, connection.database, from, request, ctx)
  problems.push(...rights.problems)
  warnings.push(...rights.warnings, ...(await definerWarnings(session, bound, from, request)))
  return { problems, warnings: [...warnings, ...restoreWarnings(session, from, request)] }
}

/** @throws {BackupError} `restore-refused`, where there is any. */
export function refuse(problems: readonly PreflightProblem[]): void {
  const [first] = problems
  if (first === undefined) return
  const hints = problems.flatMap(({ hint }) => (hint === undefined ? [] : [hint]))
  throw new BackupError('restore-refused', {
    message: problems.map(({ message }) => message).join('; '),
    ...(hints.length > 0 && { hint: hints.join(' ') }),
  })
}

/** Which accounts a dump names stands anywhere in it: the restore tells, see definers.ts. */
async function definerWarnings(
  session: Session,
  bound: BoundDatabase,
  from: RestoreSource,
  request: PreflightRequest,
): Promise<readonly string[]> {
  if (!from.fromFile || makesDefinersOwn({ bound, request })) return []
  if (kindsToMake(from.manifest, request).kinds.length === 0 || !(await mayNameDefiners(session))) return []
  return [
    "Views, triggers, routines and events of the dump run with the rights of the accounts that it names as their definers, for this user may give them to anybody. Unless you trust the dump, restore with --no-owner (definer: 'invoker')",
  ]
}

/** What is worth knowing before a restore, and does not keep it from working. */
export function restoreWarnings(
  { server }: Session,
  { manifest }: RestoreSource,
  request: Pick<PreflightRequest, 'jobs'>,
): readonly string[] {
  const { flavour } = manifest.options
  const foreign = typeof flavour === 'string' && flavour !== server.flavour
  const kinds: Readonly<Record<string, string>> = { mysql: 'MySQL', mariadb: 'MariaDB' }
  return [
    ...(foreign
      ? [
          `The dump is of ${kinds[flavour] ?? flavour} and the server is ${serverName(server)}: what only one knows fails`,
        ]
      : []),
    ...(request.jobs !== undefined && request.jobs > 1
      ? ['The MySQL driver restores with one connection; jobs changes nothing']
      : []),
  ]
}

/**
 * What keeps the tables of a database from changing places with others, found before the hours of filling: foreign
 * keys of other databases, and code that the user may not see, or not make again. Of that, all is dropped where the
 * database is exchanged as a whole, else perhaps none.
 */
export async function exchangeFindings(
  session: Session,
  database: string,
  mode: PreflightRequest['mode'],
): Promise<PreflightFindings> {
  const problems: PreflightProblem[] = []
  for (const { schema, table, name } of await keysFromElsewhere(session, database)) {
    problems.push({
      message: `The table ${quoteIdentifier(schema)}.${quoteIdentifier(table)} of another database has a foreign key ${quoteIdentifier(name)} to a table that would be replaced`,
      hint: 'Drop that foreign key, restore, and make it again.',
    })
  }
  const definitions: readonly Definition[] | PreflightProblem = await readDefinitions(session, database).catch(
    problemOf,
  )
  if ('message' in definitions) return { problems: [...problems, definitions], warnings: [] }
  const lost = await remakeProblems(session, definitions)
  if (mode !== 'clean') return { problems: [...problems, ...lost], warnings: [] }
  return {
    problems,
    warnings: lost.map(
      ({ message, hint }) => `${message}: the restore is refused if the dump holds what replaces them. ${hint}`,
    ),
  }
}

function problemOf(error: unknown): PreflightProblem {
  const hint = isBackupError(error) ? error.hint : undefined
  return { message: messageOf(error), ...(hint === undefined ? {} : { hint }) }
}

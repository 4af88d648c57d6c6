import {
  isBackupError,
  type PreflightFindings,
  type PreflightProblem,
  type PreflightRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import { freeName } from './beside.js'
import { type Rights, readRights } from './grants.js'
import { type Kind, type KnownKinds, kindsToMake } from './held-kinds.js'
import { quoteIdentifier, quoteQualified } from './quoting.js'
import type { Session } from './session.js'

const toMake: Readonly<Record<Kind, string>> = {
  view: 'CREATE VIEW',
  trigger: 'TRIGGER',
  function: 'CREATE ROUTINE',
  procedure: 'CREATE ROUTINE',
  event: 'EVENT',
}

/**
 * Rights that the user lacks for a restore, which the server would tell of only when they are needed: after hours of
 * filling, perhaps. What is not certain is a warning: whether a dump that Holdfast has not made holds views, say, or
 * what the server does not tell of a user's rights.
 */
export async function rightsFindings(
  session: Session,
  database: string,
  { manifest }: Pick<RestoreSource, 'manifest'>,
  request: Pick<PreflightRequest, 'mode' | 'sections' | 'tables'>,
  ctx: RunContext,
): Promise<PreflightFindings> {
  const given = await readRights(session)
  const { missing, hasRoles } = given
  const known = kindsToMake(manifest, request)
  const { kinds, isCertain } = known
  const [row] = await session.query<{ user: string }>('select current_user() as user')
  const user = row?.user ?? ''
  const problems: PreflightProblem[] = []
  const warnings: string[] = []
  for (const place of await placesOf(session, database, request.mode, known, ctx)) {
    const { schema } = place
    const lacking = missing(schema, place.needed)
    const perhaps = missing(schema, place.perhaps)
    const said = (lacks: readonly string[]): string => `The user ${user} lacks ${lacks.join(', ')} on ${shown(place)}`
    if (lacking.length > 0) {
      const isSure =
        !lacking.some((right) => given.hasOnTable(schema, right)) && (await tellsAll(session, schema, given))
      if (isSure) problems.push({ message: said(lacking), hint: grantOf(lacking, place, user) })
      else
        warnings.push(
          `${said(lacking)}: the restore fails, unless a role, a grant on a table, or one to the same user from another host gives it`,
        )
    }
    if (perhaps.length > 0) warnings.push(`${said(perhaps)}: the restore fails if the dump holds what takes it`)
  }
  const logged = kinds.filter((kind) => kind === 'trigger' || kind === 'function')
  if (logged.length > 0 && !logTrusted.some(given.hasGlobally) && (await trustsFew(session))) {
    const message = `The server writes a binary log, for which it lets user ${user} make no ${logged.join(', and no ')}`
    const hint = `GRANT SUPER ON *.* TO ${accountOf(user)}; or SET GLOBAL log_bin_trust_function_creators = ON;`
    if (isCertain && !hasRoles) problems.push({ message, hint })
    else warnings.push(`${message}: the restore fails if the dump holds such. ${hint}`)
  }
  return { problems, warnings }
}

/** What the server answers differently to those who have a right; it changes nothing. */
const questions: ReadonlyMap<string, string> = new Map([
  ['SELECT', 'select 1 from ~ limit 0'],
  ['DELETE', 'delete from ~ limit 0'],
])

/**
 * Whether the user can have no rights in a schema but those that the server tells of. It does not tell of those of a
 * role, nor of those that somebody of the same name has from other hosts, or everybody, which the user has as well.
 */
async function tellsAll(session: Session, schema: string, { missing, hasRoles }: Rights): Promise<boolean> {
  if (hasRoles) return false
  const table = quoteQualified(schema, '__holdfast_none')
  for (const right of missing(schema, [...questions.keys()])) {
    const asking = session.query((questions.get(right) ?? '').replace('~', () => table))
    const isDenied = await asking.then(
      () => false,
      (error) => isBackupError(error, 'source-denied'),
    )
    if (!isDenied) return false
  }
  return true
}

/** Of whom the server takes it that what their triggers and functions do can be done again from its log. */
const logTrusted = ['SUPER', 'BINLOG ADMIN']

/** @see https://dev.mysql.com/doc/refman/8.4/en/stored-programs-logging.html */
async function trustsFew(session: Session): Promise<boolean> {
  // Not as @@names: those that a later server does not know any more would be errors.
  const rows = await session.query<{ Variable_name: string; Value: string }>(
    `show global variables where variable_name in ('log_bin', 'log_bin_trust_function_creators')`,
  )
  const values = new Map(rows.map(({ Variable_name, Value }) => [Variable_name, Value]))
  return values.get('log_bin') === 'ON' && values.get('log_bin_trust_function_creators') === 'OFF'
}

/** A schema in which a restore makes something. */
interface Place {
  readonly schema: string
  /** Whether its name is only one of those that it may get: they differ in their last 8 characters. */
  readonly isBeside: boolean
  /** Rights without which the restore fails. */
  readonly needed: readonly string[]
  /** Those that it takes for what may come, or not. */
  readonly perhaps: readonly string[]
}

async function placesOf(
  session: Session,
  database: string,
  mode: PreflightRequest['mode'],
  { kinds, isCertain }: KnownKinds,
  ctx: RunContext,
): Promise<readonly Place[]> {
  const forKinds = [...new Set(kinds.map((kind) => toMake[kind]))]
  const forDump = isCertain ? { needed: forKinds, perhaps: [] } : { needed: [], perhaps: forKinds }
  if (mode === 'create') return [{ schema: database, isBeside: false, ...forDump }]
  const incoming = await freeName(session, database, 'unfinished', ctx)
  const aside = await freeName(session, database, 'replaced', ctx)
  const toMove = ['CREATE', 'DROP', 'ALTER', 'INSERT'] // RENAME TABLE takes them, there and back
  const filled = { ...forDump, needed: [...toMove, ...forDump.needed] }
  // What is there already gets rows, and nothing else.
  const added = { needed: ['INSERT'], perhaps: ['CREATE', 'DROP', 'ALTER', ...forKinds] }
  return [
    { schema: database, isBeside: false, ...(mode === 'append' ? added : filled) },
    { schema: incoming, isBeside: true, ...filled },
    // The journal, and the view that proves it.
    { schema: aside, isBeside: true, needed: [...toMove, 'SELECT', 'CREATE VIEW'], perhaps: [] },
  ]
}

/** As the server takes it for a pattern. */
function patternOf({ schema, isBeside }: Place): string {
  const exactly = (name: string): string => name.replace(/[\\_%]/g, '\\$&')
  return quoteIdentifier(isBeside ? `${exactly(schema.slice(0, -8))}%` : exactly(schema))
}

function shown({ schema, isBeside }: Place): string {
  return quoteIdentifier(isBeside ? `${schema.slice(0, -8)}…` : schema)
}

function grantOf(rights: readonly string[], place: Place, user: string): string {
  return `GRANT ${rights.join(', ')} ON ${patternOf(place)}.* TO ${accountOf(user)};`
}

function accountOf(user: string): string {
  const at = user.lastIndexOf('@')
  return `${quoteIdentifier(user.slice(0, at))}@${quoteIdentifier(user.slice(at + 1))}`
}

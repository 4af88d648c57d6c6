import type { PreflightFindings, PreflightProblem, PreflightRequest, RestoreSource, RunContext } from '@holdfast/core'
import { freeName } from './beside.js'
import { readRights } from './grants.js'
import { type Kind, kindsToMake } from './held-kinds.js'
import { quoteIdentifier } from './quoting.js'
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
 * filling, perhaps. What is not certain is a warning: whether a dump that Holdfast has not made holds views, say, or what
 * a role gives.
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
  const { kinds, isCertain } = kindsToMake(manifest, request)
  const [row] = await session.query<{ user: string }>('select current_user() as user')
  const user = row?.user ?? ''
  const problems: PreflightProblem[] = []
  const warnings: string[] = []
  for (const place of await placesOf(session, database, request.mode, ctx)) {
    const { schema, rights } = place
    const forKinds = place.isFilled ? [...new Set(kinds.map((kind) => toMake[kind]))] : []
    const lacking = missing(schema, isCertain ? [...rights, ...forKinds] : rights)
    const perhaps = isCertain ? [] : missing(schema, forKinds)
    const said = (lacks: readonly string[]): string => `The user ${user} lacks ${lacks.join(', ')} on ${shown(place)}`
    if (lacking.length > 0 && hasRoles) warnings.push(`${said(lacking)}: the restore fails, unless a role gives it`)
    else if (lacking.length > 0) problems.push({ message: said(lacking), hint: grantOf(lacking, place, user) })
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

/** Of whom the server takes it that what their triggers and functions do can be done again from its log. */
const logTrusted = ['SUPER', 'BINLOG ADMIN']

/** @see https://dev.mysql.com/doc/refman/8.4/en/stored-programs-logging.html */
async function trustsFew(session: Session): Promise<boolean> {
  const [row] = await session.query<{ log: number; trusts: number }>(
    'select @@log_bin as log, @@log_bin_trust_function_creators as trusts',
  )
  return Number(row?.log) === 1 && Number(row?.trusts) === 0
}

/** A schema in which a restore makes something. */
interface Place {
  readonly schema: string
  /** Whether its name is only one of those that it may get: they differ in their last 8 characters. */
  readonly isBeside: boolean
  /** What it takes there, whatever the dump holds. */
  readonly rights: readonly string[]
  /** Whether the dump, or what comes of it, is put there. */
  readonly isFilled: boolean
}

async function placesOf(
  session: Session,
  database: string,
  mode: PreflightRequest['mode'],
  ctx: RunContext,
): Promise<readonly Place[]> {
  if (mode === 'create') return [{ schema: database, isBeside: false, rights: [], isFilled: true }]
  const incoming = await freeName(session, database, 'unfinished', ctx)
  const aside = await freeName(session, database, 'replaced', ctx)
  const toMove = ['CREATE', 'DROP', 'ALTER', 'INSERT'] // RENAME TABLE takes them, there and back
  return [
    { schema: database, isBeside: false, rights: toMove, isFilled: true },
    { schema: incoming, isBeside: true, rights: toMove, isFilled: true },
    // The journal, and the view that proves it.
    { schema: aside, isBeside: true, rights: [...toMove, 'SELECT', 'CREATE VIEW'], isFilled: false },
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

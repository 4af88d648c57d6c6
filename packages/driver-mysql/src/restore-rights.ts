import {
  isBackupError,
  type PreflightFindings,
  type PreflightRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import { freeName } from './beside.js'
import { binaryLogFindings } from './binary-log.js'
import { currentUser, type Rights, readRights } from './grants.js'
import { type Kind, type KnownKinds, kindsIn, kindsToMake } from './held-kinds.js'
import { quoteAccount, quoteIdentifier, quotePattern, quoteQualified } from './quoting.js'
import type { Session } from './session.js'

const toMake: Readonly<Record<Kind, string>> = {
  view: 'CREATE VIEW',
  trigger: 'TRIGGER',
  function: 'CREATE ROUTINE',
  procedure: 'CREATE ROUTINE',
  event: 'EVENT',
}

/** And what it takes to drop what is there. It is made again where the restore fails, or is taken back. */
const toReplace: Readonly<Record<Kind, readonly string[]>> = {
  view: ['CREATE VIEW', 'DROP'],
  trigger: ['TRIGGER'],
  function: ['CREATE ROUTINE', 'ALTER ROUTINE'],
  procedure: ['CREATE ROUTINE', 'ALTER ROUTINE'],
  event: ['EVENT'],
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
  const rights = await readRights(session)
  const known = kindsToMake(manifest, request)
  const user = await currentUser(session)
  const findings: PreflightFindings[] = []
  for (const place of await placesOf(session, database, request.mode, known, ctx)) {
    findings.push(await placeFindings(session, place, rights, user))
  }
  findings.push(await binaryLogFindings(session, known, rights, user))
  return {
    problems: findings.flatMap(({ problems }) => problems),
    warnings: findings.flatMap(({ warnings }) => warnings),
  }
}

async function placeFindings(session: Session, place: Place, rights: Rights, user: string): Promise<PreflightFindings> {
  const { schema } = place
  const lacking = rights.missing(schema, place.needed)
  const perhaps = rights.missing(schema, place.perhaps)
  const said = (lacks: readonly string[]): string => `The user ${user} lacks ${lacks.join(', ')} on ${shown(place)}`
  const uncertain = perhaps.length > 0 ? [`${said(perhaps)}: the restore fails if the dump holds what takes it`] : []
  if (lacking.length === 0) return { problems: [], warnings: uncertain }
  const hasSome = lacking.some((right) => rights.hasOnTable(schema, right))
  if (!hasSome && (await tellsAll(session, schema, rights))) {
    return { problems: [{ message: said(lacking), hint: grantOf(lacking, place, user) }], warnings: uncertain }
  }
  const unlisted = `${said(lacking)}: the restore fails, unless a role, a grant on a table, or one to the same user from another host gives it`
  return { problems: [], warnings: [unlisted, ...uncertain] }
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

interface Needs {
  /** Rights without which the restore fails. */
  readonly needed: readonly string[]
  /** Those that it takes for what may come, or not. */
  readonly perhaps: readonly string[]
}

/** A schema in which a restore makes something. */
interface Place extends Needs {
  readonly schema: string
  /** Whether its name is only one of those that it may get: they differ in their last 8 characters. */
  readonly isBeside: boolean
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
  const held = (await kindsIn(session, database)).flatMap((kind) => toReplace[kind])
  // What is there already gets rows, and nothing else.
  const added = { needed: ['INSERT'], perhaps: ['CREATE', 'DROP', 'ALTER', ...forKinds] }
  return [
    { schema: database, isBeside: false, ...(mode === 'append' ? added : withHeld(filled, held, mode)) },
    { schema: incoming, isBeside: true, ...filled },
    // The journal, and the view that proves it.
    { schema: aside, isBeside: true, needed: [...toMove, 'SELECT', 'CREATE VIEW'], perhaps: [] },
  ]
}

/** In place, what the dump does not hold stays. */
function withHeld({ needed, perhaps }: Needs, held: readonly string[], mode: PreflightRequest['mode']): Needs {
  if (mode !== 'clean') return { needed: [...new Set([...needed, ...held])], perhaps }
  return { needed, perhaps: [...new Set([...perhaps, ...held.filter((right) => !needed.includes(right))])] }
}

/** As the server takes it for a pattern. */
function patternOf({ schema, isBeside }: Place): string {
  return isBeside ? quotePattern(schema.slice(0, -8)).replace(/`$/, '%`') : quotePattern(schema)
}

function shown({ schema, isBeside }: Place): string {
  return quoteIdentifier(isBeside ? `${schema.slice(0, -8)}…` : schema)
}

function grantOf(rights: readonly string[], place: Place, user: string): string {
  return `GRANT ${rights.join(', ')} ON ${patternOf(place)}.* TO ${quoteAccount(user)};`
}

import { BackupError, isBackupError, messageOf, type Replaced, type RunContext } from '@holdfast/core'
import { triggerWarnings } from './append-plan.js'
import { freeName } from './beside.js'
import type { BoundDatabase } from './bound-database.js'
import type { Definition } from './definitions.js'
import { exchange, settle } from './exchange.js'
import { isBare, isUnwritten, type Plan, readJournal } from './journal.js'
import { unmarkFilling } from './marks.js'
import { type ExchangeRequest, planExchange } from './plan-exchange.js'
import { quoteIdentifier } from './quoting.js'
import { lockAfter, lockDatabase } from './restore-lock.js'
import { type RoutineGrant, readRoutineGrants } from './routine-grants.js'
import { createSchema, dropSchema, readProperties, type SchemaProperties } from './schema-properties.js'
import { type Session, schemaExists } from './session.js'
import { shielded } from './shielded.js'

/** What an exchange did. */
export interface Exchanged extends Replaced {
  readonly warnings: readonly string[]
}

/** What is to take the place of what a database holds. */
export interface Incoming {
  readonly incoming: string
  readonly extent: ExchangeRequest['extent']
  readonly enabledEvents: ReadonlySet<string>
  readonly definitions?: readonly Definition[]
  readonly like: SchemaProperties | undefined
  readonly terminateConnections: boolean
  /** Rights on routines that come, which what was put aside has kept. */
  readonly routineGrants?: readonly RoutineGrant[]
  /** Until when what goes is meant to be kept. */
  readonly keepUntil?: Date | undefined
  /** Looks once more, under the lock, whether it may be done. */
  readonly check?: (session: Session) => Promise<void>
}

/** An exchange about to be done. */
interface Begun {
  readonly plan: Plan
  /** Whether there was a database to replace anything of. */
  readonly existed: boolean
  readonly properties: SchemaProperties
  readonly like: SchemaProperties | undefined
  /** Of the session that does it. */
  readonly sessionId: number
  readonly warnings: readonly string[]
}

/**
 * Plans and does an exchange, under the lock of the database, and not to be stopped halfway. Where it is lost sight of
 * (the connection broke, say), the journal tells what became of it, and that is what is reported.
 */
export async function exchangeInto(bound: BoundDatabase, request: Incoming, ctx: RunContext): Promise<Exchanged> {
  ctx.signal.throwIfAborted()
  const { connection } = bound
  const quiet = shielded(ctx)
  let begun: Begun | undefined
  try {
    await using session = await lockDatabase(connection, connection.database, quiet)
    begun = await begin(session, connection.database, request, ctx)
    const { terminateConnections } = request
    const { plan, properties } = begun
    await exchange(session, plan, { properties, terminateConnections }, quiet)
    return await tidy(session, begun)
  } catch (error) {
    if (begun === undefined) throw error
    return await outcomeOf(bound, begun, error, quiet)
  }
}

async function begin(session: Session, database: string, request: Incoming, ctx: RunContext): Promise<Begun> {
  const { like, terminateConnections: _, keepUntil, check, routineGrants: __, ...incoming } = request
  await check?.(session)
  const existed = await schemaExists(session, database)
  if (!existed) await createSchema(session, database, like)
  try {
    const aside = await freeName(session, database, 'replaced', ctx)
    const planned = await planExchange(session, { ...incoming, database, aside })
    const { grants, warnings: notKnown } = await readRoutineGrants(session, database, planned.dropped)
    const routineGrants = [...grants, ...(request.routineGrants ?? [])]
    const plan = { ...planned, routineGrants, ...(keepUntil && { keepUntil: keepUntil.toISOString() }) }
    const properties = await readProperties(session, database)
    const warnings = [...notKnown, ...(await triggerWarnings(session, database, plan.filled))]
    return { plan, existed, properties, like, sessionId: session.id, warnings }
  } catch (error) {
    if (!existed) await dropSchema(session, database)
    throw error
  }
}

/** What is left to do once the exchange is done. Whatever of it fails, the exchange stays done. */
async function tidy(session: Session, { plan, existed, like, warnings }: Begun): Promise<Exchanged> {
  const { database, aside, extent } = plan
  const failed: string[] = []
  const attempt = async (what: string, doing: Promise<void>): Promise<void> => {
    await doing.catch((error) => failed.push(`${what}: ${messageOf(error)}`))
  }
  const [here, there] = [database, aside].map(quoteIdentifier)
  // What an interrupted restore left there has gone aside.
  await attempt(`The mark of an interrupted restore is still in ${here}`, unmarkFilling(session, database))
  if (like && extent === 'all') {
    await attempt(`${here} keeps its own character set`, applyProperties(session, database, like))
  }
  if (!existed) await attempt(`${there}, which is empty, is still there`, dropSchema(session, aside))
  const kept = plan.keepUntil === undefined ? {} : { keepUntil: new Date(plan.keepUntil) }
  return { ...(existed ? { oldName: aside, ...kept } : {}), warnings: [...warnings, ...failed] }
}

async function applyProperties(session: Session, database: string, like: SchemaProperties): Promise<void> {
  const { charset, collation } = like
  const quoted = quoteIdentifier(database)
  await session.query(`alter database ${quoted} character set ${charset} collate ${collation}`)
}

/**
 * What became of an exchange that failed, as its journal tells in another session: done after all, finished now, or
 * undone.
 *
 * @throws The error that it failed with, where nothing has changed; else a {@link BackupError} that says what is not known.
 */
async function outcomeOf(
  { connection }: BoundDatabase,
  begun: Begun,
  error: unknown,
  ctx: RunContext,
): Promise<Exchanged> {
  const { database, aside } = begun.plan
  try {
    await using session = await lockAfter(connection, database, begun.sessionId, ctx)
    const journal = await readJournal(session, aside, database)
    if (journal?.state === 'unbelieved') throw journal.problem
    const outcome = journal === undefined ? 'undone' : await settle(session, journal, ctx)
    if (outcome === 'finished') return await tidy(session, begun)
    if (journal === undefined && (await isUnwritten(session, aside, database))) await dropSchema(session, aside)
    if (!begun.existed && (await isBare(session, database))) await dropSchema(session, database)
  } catch (failure) {
    throw notKnown(database, error, failure)
  }
  throw error
}

function notKnown(database: string, error: unknown, failure: unknown): BackupError {
  return new BackupError(isBackupError(error) ? error.code : 'restore-failed', {
    message: `${messageOf(error)}; whether the tables of ${quoteIdentifier(database)} have changed places is not known, for it could not be looked at (${messageOf(failure)})`,
    hint: 'The next restore, undo or cleanup of this database finishes what was begun, or undoes it, and says which.',
    cause: error,
  })
}

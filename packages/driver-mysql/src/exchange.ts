import { BackupError, isBackupError, messageOf, type RunContext } from '@holdfast/core'
import { addRows } from './add-rows.js'
import { stopEvent } from './definition-text.js'
import { type Definition, makeDefinitions, readDefinitions } from './definitions.js'
import { addForeignKeys, dropForeignKeys } from './foreign-keys.js'
import { closeJournal, type Journal, type Plan, writeJournal } from './journal.js'
import { markScratch } from './marks.js'
import { quoteIdentifier, quoteQualified } from './quoting.js'
import { requireRemakable } from './remake.js'
import { grantRoutines } from './routine-grants.js'
import { dropObject, tablesOf } from './schema-objects.js'
import { createSchema, dropSchema, readProperties, type SchemaProperties } from './schema-properties.js'
import { type Session, schemaExists } from './session.js'
import { warn } from './warn.js'

/** What an exchange needs besides its plan. */
export interface ExchangeOptions {
  /** Of the schema for what goes. */
  readonly properties: SchemaProperties | undefined
  /** End other connections to the database, which could hold locks. */
  readonly terminateConnections: boolean
}

/**
 * Exchanges tables: all of them change places in one atomic `RENAME TABLE`; what cannot be renamed (views, triggers,
 * routines, events) is dropped before and made anew after it. With extent `missing`, rows are
 * added then. On failure everything is as it was.
 *
 * @throws {BackupError} `target-in-use` where locks of others were waited for in vain; `restore-refused` where what goes
 *   could not be made again; what making a definition throws.
 */
export async function exchange(session: Session, plan: Plan, options: ExchangeOptions, ctx: RunContext): Promise<void> {
  await createSchema(session, plan.aside, options.properties)
  await requireRemakable(session, plan.aside, [...plan.dropped, ...plan.made])
  await writeJournal(session, plan)
  try {
    // Whoever uses a table keeps its triggers from being dropped, too; some come again meanwhile.
    if (options.terminateConnections) await endConnections(session, plan.database)
    await prepare(session, plan)
    if (options.terminateConnections) await endConnections(session, plan.database)
    await rename(session, [
      ...plan.outgoingTables.map((name) => [plan.database, plan.aside, name] as const),
      ...plan.incomingTables.map((name) => [plan.incoming, plan.database, name] as const),
    ])
    await complete(session, plan)
    if (plan.extent === 'missing') await addRows(session, plan)
  } catch (error) {
    // What cannot be undone here, for the connection is lost perhaps, is settled by the journal.
    await undo(session, plan, ctx).catch((failure) => ctx.log.warn(`Undoing failed: ${messageOf(failure)}`))
    throw error
  }
  await finish(session, plan, ctx)
}

/** Finishes or undoes what a journal says was begun, if it is neither yet. @returns Which of the two. */
export async function settle(
  session: Session,
  { state, plan }: Journal,
  ctx: RunContext,
): Promise<'finished' | 'undone'> {
  const addsRows = plan.extent === 'missing'
  if (state === 'done') return 'finished'
  if (state === 'lost') return 'undone'
  if (addsRows && state === 'added') {
    await finish(session, plan, ctx)
    return 'finished'
  }
  if (!addsRows && (await hasRenamed(session, plan))) {
    try {
      await complete(session, plan)
      await finish(session, plan, ctx)
      return 'finished'
    } catch (error) {
      if (isBackupError(error, 'source-unreachable')) throw error
    }
  }
  await undo(session, plan, ctx)
  return 'undone'
}

/** Triggers, views and the like stand in the way of the renaming. */
async function prepare(session: Session, plan: Plan): Promise<void> {
  for (const definition of plan.dropped) await dropObject(session, plan.database, definition)
  for (const name of plan.incomingTriggers) await dropObject(session, plan.incoming, { kind: 'trigger', name })
  await dropForeignKeys(session, plan.database, plan.foreignKeys)
  await dropForeignKeys(session, plan.incoming, plan.incomingKeys)
}

/** What follows the renaming. May be done twice. Where rows are still to be added, no event runs yet. */
async function complete(session: Session, plan: Plan): Promise<void> {
  await session.query('set session foreign_key_checks = 0')
  for (const { table, column, expression } of plan.defaults) {
    await session.query(
      `alter table ${quoteQualified(plan.database, table)} alter column ${quoteIdentifier(column)} set default (${expression})`,
    )
  }
  await addForeignKeys(session, plan.database, [...plan.foreignKeys, ...plan.incomingKeys])
  const made = plan.extent === 'missing' ? plan.made.map(standing) : plan.made
  await makeDefinitions(session, plan.database, made)
  await session.query('set session foreign_key_checks = 1')
}

function standing(definition: Definition): Definition {
  return definition.kind === 'event' ? { ...definition, sql: stopEvent(definition.sql) } : definition
}

/** The end, from which nothing goes back. May be done twice. */
async function finish(session: Session, plan: Plan, ctx: RunContext): Promise<void> {
  const events = plan.extent === 'missing' ? plan.made.filter(({ kind }) => kind === 'event') : []
  await makeDefinitions(session, plan.database, events, ({ name }, error) => {
    warn(`The event ${quoteIdentifier(name)} could not be started: ${messageOf(error)}`, ctx)
  })
  await grantRoutines(session, plan.database, plan.routineGrants ?? [], ctx)
  await closeJournal(session, plan, 'done')
}

/**
 * Puts everything back, from wherever it stopped. May be done twice.
 *
 * @throws {BackupError} `target-in-use` where locks of others were waited for in vain: the journal says what is left to do.
 */
async function undo(session: Session, plan: Plan, ctx: RunContext): Promise<void> {
  const { gone, come } = await readMoved(session, plan)
  const hasMoved = gone.length + come.length > 0
  const { dropped, made } = hasMoved ? plan : await withoutStanding(session, plan)
  for (const definition of made) await dropObject(session, plan.database, definition)
  const back = [
    ...come.map((name) => [plan.database, plan.incoming, name] as const),
    ...gone.map((name) => [plan.aside, plan.database, name] as const),
  ]
  if (hasMoved) await dropForeignKeys(session, plan.database, [...plan.foreignKeys, ...plan.incomingKeys])
  if (come.length > 0 && !(await schemaExists(session, plan.incoming))) {
    await createSchema(session, plan.incoming, await readProperties(session, plan.database))
    await markScratch(session, plan.incoming, plan.database) // nobody would find it again
  }
  await rename(session, back)
  await session.query('set session foreign_key_checks = 0')
  await addForeignKeys(session, plan.database, plan.foreignKeys)
  const lost: Definition[] = []
  await makeDefinitions(session, plan.database, dropped, (definition, error) => {
    if (isBackupError(error, 'target-in-use')) throw error
    lost.push(definition)
  })
  await session.query('set session foreign_key_checks = 1')
  await grantRoutines(session, plan.database, plan.routineGrants ?? [], ctx)
  if (lost.length === 0) return await dropSchema(session, plan.aside)
  await closeJournal(session, plan, 'lost')
  // The server keeps a view whose tables have gone, but does not make one.
  const names = lost.map(({ kind, name }) => `${kind} ${quoteIdentifier(name)}`).join(', ')
  const where = quoteIdentifier(plan.aside)
  warn(
    `Could not be made again: ${names}. The text of it is kept in the journal of ${where}, until that is dropped`,
    ctx,
  )
}

/** Leaves out what has not been dropped yet: who uses a table keeps its triggers from being touched. */
async function withoutStanding(
  session: Session,
  { database, dropped, made }: Plan,
): Promise<Pick<Plan, 'dropped' | 'made'>> {
  const now = new Set((await readDefinitions(session, database)).map((one) => JSON.stringify(one)))
  const standing = dropped.filter((one) => now.has(JSON.stringify(one)))
  const isStanding = ({ kind, name }: Definition): boolean =>
    standing.some((one) => one.kind === kind && one.name === name)
  return { dropped: dropped.filter((one) => !isStanding(one)), made: made.filter((one) => !isStanding(one)) }
}

/** All tables move at once: where they are tells whether they have. */
async function hasRenamed(session: Session, plan: Plan): Promise<boolean> {
  const { gone, come } = await readMoved(session, plan)
  if (plan.outgoingTables.length + plan.incomingTables.length === 0) return false
  return gone.length === plan.outgoingTables.length && come.length === plan.incomingTables.length
}

/**
 * Which tables of a plan have gone, and which have come. Where one is tells, not where it is missing: the schema that it
 * comes from is dropped by a restore that lost its connection in the middle of the exchange.
 */
async function readMoved(
  session: Session,
  { database, incoming, aside, outgoingTables, incomingTables }: Plan,
): Promise<{ readonly gone: readonly string[]; readonly come: readonly string[] }> {
  const there = new Set(await namesIn(session, database))
  const left = new Set(await namesIn(session, incoming))
  const away = new Set(await namesIn(session, aside))
  const old = new Set(outgoingTables.filter((name) => !away.has(name)))
  return {
    gone: outgoingTables.filter((name) => away.has(name)),
    come: incomingTables.filter((name) => there.has(name) && !left.has(name) && !old.has(name)),
  }
}

async function namesIn(session: Session, schema: string): Promise<readonly string[]> {
  return (await tablesOf(session, schema)).map(({ name }) => name)
}

async function rename(
  session: Session,
  moves: readonly (readonly [from: string, to: string, name: string])[],
): Promise<void> {
  if (moves.length === 0) return
  const list = moves.map(([from, to, name]) => `${quoteQualified(from, name)} to ${quoteQualified(to, name)}`)
  await session.query(`rename table ${list.join(', ')}`)
}

/** Ends the other connections to a database, as far as the user may. */
async function endConnections(session: Session, database: string): Promise<void> {
  const rows = await session.query<{ id: number }>(
    'select id from information_schema.processlist where binary db = binary ? and id <> connection_id()',
    [database],
  )
  for (const { id } of rows) {
    await session.query(`kill ${Number(id)}`).catch((error) => {
      if (!(error instanceof BackupError) || error.code === 'source-unreachable') throw error // it went by itself
    })
  }
}

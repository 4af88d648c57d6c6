import {
  BackupError,
  messageOf,
  type RestoreReport,
  type RestoreRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { displayOf } from './connection.js'
import { makeDefinitions, readDefinitions } from './definitions.js'
import { runEvent } from './dump-filter.js'
import { emptySchema } from './empty-schema.js'
import { type Filling, fill } from './fill.js'
import { refusePending, settleLeftovers } from './leftovers.js'
import { isFilling, markFilling, unmarkFilling } from './marks.js'
import { otherFlavourWarnings } from './other-flavour.js'
import { restoreWarnings } from './preflight.js'
import { quoteQualified } from './quoting.js'
import { lockDatabase } from './restore-lock.js'
import { codeOf, tablesOf } from './schema-objects.js'
import { createSchema, dropSchema, propertiesFrom } from './schema-properties.js'
import { makeScratch } from './scratch.js'
import { openSession, type Session, schemaExists, withSession } from './session.js'
import { shielded } from './shielded.js'
import { chooseTool } from './tools.js'

/** {@link Driver.restore} for MySQL and MariaDB. */
export async function restore(
  bound: BoundDatabase,
  from: RestoreSource,
  request: RestoreRequest,
  ctx: RunContext,
): Promise<RestoreReport> {
  refuseImpossible(from, request)
  const { connection, settings } = bound
  await using session = await openSession(connection, ctx, 'none')
  const tool = await chooseTool('client', session.server, settings.binDir)
  const { done, unbelieved } = await settleLeftovers(session, bound, ctx)
  refusePending(unbelieved)
  const warnings = [...done, ...otherFlavourWarnings(tool, session.server), ...restoreWarnings(session, from, request)]
  const filling = { bound, from, request, tool, warnings, enabledEvents: new Set<string>(), ctx }
  const created = request.mode === 'create' && (await intoEmpty(filling))
  if (request.mode !== 'create') {
    if (!(await schemaExists(session, connection.database))) throw noTarget(bound)
    await staged(filling)
  }
  return { created, warnings, tools: { [tool.name]: tool.version } }
}

/** @throws {BackupError} `target-not-empty` where a database holds anything that a user, or a restore, made. */
async function requireEmpty(session: Session, bound: BoundDatabase): Promise<void> {
  const { database } = bound.connection
  const isEmpty = (await tablesOf(session, database)).length === 0 && (await codeOf(session, database)).length === 0
  if (!isEmpty) throw notEmpty(bound, await isFilling(session, database))
}

/**
 * Streamed into a database that is new or empty: that is looked at under its lock, for another restore may just have
 * filled it. A mark in it says so, until it is whole: should this process be killed, the next one can tell why the
 * database is not empty.
 *
 * @returns Whether the database was made.
 * @throws {BackupError} `target-not-empty`.
 */
async function intoEmpty(filling: Filling): Promise<boolean> {
  const { bound, from, ctx, warnings } = filling
  const { connection, scratch } = bound
  const { database } = connection
  const quiet = shielded(ctx)
  await using session = scratch
    ? await openSession(connection, quiet, 'none')
    : await lockDatabase(connection, database, quiet)
  ctx.signal.throwIfAborted()
  const made = !(await schemaExists(session, database))
  if (!made) await requireEmpty(session, bound)
  if (made) warnings.push(...(await createSchema(session, database, propertiesFrom(from.manifest.options))))
  try {
    await markFilling(session, database)
    const enabledEvents = scratch?.enabledEvents ?? filling.enabledEvents
    await fill({ ...filling, enabledEvents })
    if (!scratch) await startEvents(bound, enabledEvents, ctx)
    await unmarkFilling(session, database)
    return made
  } catch (error) {
    await clear(filling, made)
    throw error
  }
}

/** Events were made so that they stand still: half of the data was not there yet. */
async function startEvents(bound: BoundDatabase, names: ReadonlySet<string>, ctx: RunContext): Promise<void> {
  if (names.size === 0) return
  const { connection } = bound
  await withSession(connection, ctx, async (session) => {
    const definitions = await readDefinitions(session, connection.database)
    const events = definitions.filter(({ kind, name }) => kind === 'event' && names.has(name))
    const running = events.map((event) => ({ ...event, sql: runEvent(event.sql) }))
    await makeDefinitions(session, connection.database, running)
  })
}

/** In a session of its own: the one at hand may have been lost. */
async function clear({ bound, ctx, warnings }: Filling, made: boolean): Promise<void> {
  const { connection } = bound
  try {
    await withSession(
      connection,
      shielded(ctx),
      (session) => (made ? dropSchema(session, connection.database) : emptySchema(session, connection.database)),
      'none',
    )
  } catch (error) {
    const message = `What was restored so far could not be removed from ${displayOf(connection)}: drop it by hand (${messageOf(error)})`
    ctx.log.warn(message)
    warnings.push(message)
  }
}

/**
 * Into a scratch first, whatever the mode: statements about schemas cannot be rolled back. When the dump has proved
 * whole, tables change places at once, and rows are added in one transaction that can still undo that.
 */
async function staged(filling: Filling): Promise<void> {
  const { bound, from, request, ctx, warnings } = filling
  const { connection } = bound
  const { mode, terminateConnections = false } = request
  await using scratch = await makeScratch(bound, propertiesFrom(from.manifest.options), ctx)
  const scratchFilling = {
    ...filling,
    bound: scratch.bound,
    enabledEvents: scratch.bound.scratch?.enabledEvents ?? new Set<string>(),
  }
  if (request.sections === 'data' || from.manifest.options.sections === 'data')
    await copyStructure(bound, scratch.bound, ctx)
  await fill(scratchFilling)
  ctx.signal.throwIfAborted()
  const extent = mode === 'clean' ? 'same' : 'missing'
  const { oldName, warnings: more } = await scratch.exchange({ extent, terminateConnections }, ctx)
  warnings.push(...more)
  if (oldName === undefined) return
  try {
    await withSession(connection, shielded(ctx), (session) => dropSchema(session, oldName), 'none')
  } catch (error) {
    warnings.push(`What was replaced is still there as ${oldName}: ${messageOf(error)}`)
  }
}

/** A dump of rows alone needs tables to come into: those of the target, without what it holds. */
async function copyStructure(bound: BoundDatabase, scratch: BoundDatabase, ctx: RunContext): Promise<void> {
  const from = bound.connection.database
  const into = scratch.connection.database
  await withSession(scratch.connection, ctx, async (session) => {
    for (const { name, kind } of await tablesOf(session, from)) {
      if (kind !== 'table') continue
      await session.query(`create table ${quoteQualified(into, name)} like ${quoteQualified(from, name)}`)
    }
  })
}

/** Combinations that cannot be restored, refused before a server is asked. */
function refuseImpossible({ manifest }: RestoreSource, { mode, sections = 'all' }: RestoreRequest): void {
  const refuse = (message: string, hint: string): never => {
    throw new BackupError('restore-refused', { message, hint })
  }
  const onlyRows = sections === 'data' || manifest.options.sections === 'data'
  if (onlyRows && mode !== 'append') {
    refuse(`Data alone cannot be restored with mode ${mode}`, 'Restore data into tables that exist, with mode append.')
  }
}

function notEmpty({ connection }: BoundDatabase, isLeft: boolean): BackupError {
  const left = isLeft ? ': an earlier restore into it was interrupted' : ''
  return new BackupError('target-not-empty', {
    message: `The database ${displayOf(connection)} is not empty${left}`,
    hint: 'Restore into another database, or choose what becomes of this one: clean or append.',
  })
}

function noTarget({ connection }: BoundDatabase): BackupError {
  return new BackupError('source-missing', {
    message: `There is no database ${displayOf(connection)} to restore into in place`,
    hint: 'Restore with mode create, which makes it.',
  })
}

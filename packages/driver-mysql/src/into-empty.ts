import { BackupError, messageOf, type RunContext } from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { displayOf } from './connection.js'
import { runEvent } from './definition-text.js'
import { makeDefinitions, readEvents } from './definitions.js'
import { type Filling, fill } from './fill.js'
import { isBare, shown } from './journal.js'
import { isFilling, markFilling, unmarkFilling } from './marks.js'
import type { Progress } from './progress.js'
import { removeMade } from './remove-made.js'
import { lockDatabase } from './restore-lock.js'
import { codeOf, tablesOf } from './schema-objects.js'
import { createSchema, dropSchema, propertiesFrom } from './schema-properties.js'
import { openSession, type Session, schemaExists, withSession } from './session.js'
import { shielded } from './shielded.js'
import { warn } from './warn.js'

/**
 * Streamed into a database that is new or empty: that is looked at under its lock, for another restore may just have
 * filled it. A mark in it says so, until it is whole: should this process be killed, the next one can tell why the
 * database is not empty.
 *
 * @returns Whether the database was made.
 * @throws {BackupError} `target-not-empty`.
 */
export async function intoEmpty(filling: Filling): Promise<boolean> {
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

/** @throws {BackupError} `target-not-empty` where a database holds anything that a user, or a restore, made. */
async function requireEmpty(session: Session, bound: BoundDatabase): Promise<void> {
  const { database } = bound.connection
  const isEmpty = (await tablesOf(session, database)).length === 0 && (await codeOf(session, database)).length === 0
  if (!isEmpty) throw notEmpty(bound, await isFilling(session, database))
}

/** Events were made so that they stand still: half of the data was not there yet. */
async function startEvents(bound: BoundDatabase, names: ReadonlySet<string>, ctx: RunContext): Promise<void> {
  if (names.size === 0) return
  const { connection } = bound
  await withSession(connection, ctx, async (session) => {
    const events = await readEvents(session, connection.database, names)
    const running = events.map((event) => ({ ...event, sql: runEvent(event.sql) }))
    await makeDefinitions(session, connection.database, running)
  })
}

/**
 * What was restored so far goes, and the database with it where it was made here; what others have made in it meanwhile
 * stays. In a session of its own: the one at hand may have been lost.
 */
async function clear({ bound, progress, ctx }: Filling, made: boolean): Promise<void> {
  const { connection } = bound
  const remove = (session: Session): Promise<void> => removeAll(session, connection.database, progress, made, ctx)
  try {
    await withSession(connection, shielded(ctx), remove, 'none')
  } catch (error) {
    const what = `What was restored so far could not be removed from ${displayOf(connection)}`
    warn(`${what}: drop it by hand (${messageOf(error)})`, ctx)
  }
}

async function removeAll(
  session: Session,
  database: string,
  progress: Progress,
  made: boolean,
  ctx: RunContext,
): Promise<void> {
  await removeMade(session, database, progress)
  if (!made) return
  if (await isBare(session, database)) return await dropSchema(session, database)
  warn(`${shown([database])}, which the restore has made, stays: others have made something in it meanwhile`, ctx)
}

function notEmpty({ connection }: BoundDatabase, isLeft: boolean): BackupError {
  const left = isLeft ? ': an earlier restore into it was interrupted' : ''
  return new BackupError('target-not-empty', {
    message: `The database ${displayOf(connection)} is not empty${left}`,
    hint: 'Restore into another database, or choose what becomes of this one: clean or append.',
  })
}

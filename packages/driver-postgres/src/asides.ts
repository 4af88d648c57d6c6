import { type AsideDatabase, BackupError, type Replaced, type RunContext, type SwapOptions } from '@holdfast/core'
import { type DatabaseBeside, databasesBeside, freeName } from './beside.js'
import { toDatabase } from './connection.js'
import { type DatabaseProperties, readProperties } from './database-properties.js'
import { requireMayRename, requireOwner } from './database-rights.js'
import { isEmpty } from './probe.js'
import { quoteIdentifier } from './quoting.js'
import type { BoundDatabase } from './restore-job.js'
import { openMaintenance, type Session, withSession } from './session.js'
import { shielded } from './shielded.js'
import { dropSubscriptions } from './subscriptions.js'
import { renameDatabase, swapDatabases } from './swap.js'
import { applyProperties, databaseExists, dropDatabase, refuseIfInUse } from './target.js'
import { warn } from './warn.js'

/** {@link Driver.asides} for PostgreSQL. A scratch that somebody is filling is none. */
export async function asides(bound: BoundDatabase, ctx: RunContext): Promise<readonly AsideDatabase[]> {
  await using session = await maintenance(bound, ctx)
  const beside = await databasesBeside(session, bound.connection.database)
  const found: AsideDatabase[] = []
  for (const each of beside) {
    const { name, kind, since, sizeBytes, keepUntil } = each
    if (!(await wasLeft(each, bound, ctx))) continue
    found.push({
      ...{ name, kind, since, sizeBytes, ...(keepUntil && { keepUntil }) },
      ...(kind === 'replaced' && { takeBack: (options, using) => takeBack(bound, each, options, using) }),
      drop: (using) => drop(bound, { name, kind }, using),
    })
  }
  return found
}

/** A restore that is killed while the server makes its scratch leaves one without a mark, but an empty one. */
async function wasLeft(
  { name, kind, inUse, isOurs }: DatabaseBeside,
  { connection }: BoundDatabase,
  ctx: RunContext,
): Promise<boolean> {
  if (kind === 'replaced') return isOurs
  if (inUse) return false
  return isOurs || (await withSession(toDatabase(connection, name), ctx, isEmpty).catch(() => false))
}

async function drop(
  bound: BoundDatabase,
  { name, kind }: Pick<DatabaseBeside, 'name' | 'kind'>,
  ctx: RunContext,
): Promise<void> {
  await using session = await maintenance(bound, ctx)
  await requireOwner(session, name, 'drop')
  if (kind === 'replaced') return await dropDatabase(session, name)
  await dropSubscriptions(toDatabase(bound.connection, name), ctx)
  // Without force: whoever has begun to use it since it was listed is a restore.
  await session.query(`drop database if exists ${quoteIdentifier(name)}`)
}

/** Gives a database that was replaced its name again, with what belongs to the name now: owner, grants, settings. */
async function takeBack(
  bound: BoundDatabase,
  aside: Pick<DatabaseBeside, 'name' | 'comment'>,
  options: SwapOptions,
  ctx: RunContext,
): Promise<Replaced> {
  const { database } = bound.connection
  ctx.signal.throwIfAborted()
  await using session = await maintenance(bound, shielded(ctx))
  if (!(await databaseExists(session, aside.name))) {
    throw new BackupError('source-missing', {
      message: `The database ${quoteIdentifier(aside.name)} is not there any more`,
    })
  }
  await requireMayRename(session, aside.name)
  const now = await readProperties(session, database)
  if (now) return await changePlaces(bound, { session, aside: aside.name, now }, options, ctx)
  await renameDatabase(session, aside.name, database, aside.comment)
  return {}
}

interface Places {
  readonly session: Session
  readonly aside: string
  /** Of the database that has the name. */
  readonly now: DatabaseProperties
}

async function changePlaces(
  bound: BoundDatabase,
  { session, aside, now }: Places,
  { terminateConnections, keepUntil }: SwapOptions,
  ctx: RunContext,
): Promise<Replaced> {
  const { database: name } = bound.connection
  await requireOwner(session, name)
  if (!terminateConnections) {
    await refuseIfInUse(session, name)
    await refuseIfInUse(session, aside)
  }
  const like = { ...now, comment: undefined }
  const lost = await applyProperties(session, aside, like, { noOwner: false, noPrivileges: false })
  for (const message of lost) warn(message, ctx)
  const oldName = await freeName(session, name, 'replaced', ctx.clock.now())
  const another = (): Promise<Session> => maintenance(bound, shielded(ctx))
  const names = { name, fresh: aside, aside: oldName }
  await swapDatabases(session, { ...names, comment: now.comment, keepUntil, terminateConnections, another })
  return { oldName, ...(keepUntil && { keepUntil }) }
}

function maintenance({ connection, settings }: BoundDatabase, ctx: RunContext): Promise<Session> {
  return openMaintenance(connection, settings.maintenanceDatabase, ctx)
}

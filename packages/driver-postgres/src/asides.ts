import { type AsideDatabase, BackupError, type Replaced, type RunContext } from '@holdfast/core'
import { type DatabaseBeside, databasesBeside, freeName } from './beside.js'
import { readProperties } from './database-properties.js'
import { quoteIdentifier } from './quoting.js'
import type { BoundDatabase } from './restore-job.js'
import { openMaintenance, type Session } from './session.js'
import { shielded } from './shielded.js'
import { swapDatabases } from './swap.js'
import { requireOwner } from './swap-checks.js'
import { applyProperties, databaseExists, dropDatabase, refuseIfInUse } from './target.js'
import { warn } from './warn.js'

/** {@link Driver.asides} for PostgreSQL. A scratch that somebody is filling is none. */
export async function asides(bound: BoundDatabase, ctx: RunContext): Promise<readonly AsideDatabase[]> {
  await using session = await maintenance(bound, ctx)
  const beside = await databasesBeside(session, bound.connection.database)
  return beside
    .filter(({ kind, inUse }) => kind === 'replaced' || !inUse)
    .map(({ name, kind, since, sizeBytes }) => ({
      ...{ name, kind, since, sizeBytes },
      ...(kind === 'replaced' && { takeBack: (options, using) => takeBack(bound, name, options, using) }),
      drop: (using) => drop(bound, { name, kind }, using),
    }))
}

async function drop(
  bound: BoundDatabase,
  { name, kind }: Pick<DatabaseBeside, 'name' | 'kind'>,
  ctx: RunContext,
): Promise<void> {
  await using session = await maintenance(bound, ctx)
  if (kind === 'replaced') return await dropDatabase(session, name)
  // Without force: whoever has begun to use it since it was listed is a restore.
  await session.query(`drop database if exists ${quoteIdentifier(name)}`)
}

/** Gives a database that was replaced its name again, with what belongs to the name now: owner, grants, settings. */
async function takeBack(
  bound: BoundDatabase,
  aside: string,
  { terminateConnections }: { readonly terminateConnections: boolean },
  ctx: RunContext,
): Promise<Replaced> {
  const { database } = bound.connection
  ctx.signal.throwIfAborted()
  const whole = shielded(ctx)
  await using session = await maintenance(bound, whole)
  if (!(await databaseExists(session, aside))) {
    throw new BackupError('source-missing', { message: `The database ${quoteIdentifier(aside)} is not there any more` })
  }
  await requireOwner(session, aside)
  const now = await readProperties(session, database)
  if (!now) {
    await session.query(`alter database ${quoteIdentifier(aside)} rename to ${quoteIdentifier(database)}`)
    return {}
  }
  await requireOwner(session, database)
  if (!terminateConnections) {
    await refuseIfInUse(session, database)
    await refuseIfInUse(session, aside)
  }
  const lost = await applyProperties(session, aside, now, { noOwner: false, noPrivileges: false })
  for (const message of lost) warn(message, ctx)
  const oldName = await freeName(session, database, 'replaced', ctx.clock.now())
  const another = (): Promise<Session> => maintenance(bound, whole)
  await swapDatabases(session, { name: database, fresh: aside, aside: oldName, terminateConnections, another })
  return { oldName }
}

function maintenance({ connection, settings }: BoundDatabase, ctx: RunContext): Promise<Session> {
  return openMaintenance(connection, settings.maintenanceDatabase, ctx)
}

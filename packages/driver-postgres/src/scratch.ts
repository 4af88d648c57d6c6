import { randomBytes } from 'node:crypto'
import { BackupError, type Driver, type RunContext, type ScratchDatabase } from '@holdfast/core'
import { type Connection, displayOf, toDatabase } from './connection.js'
import { type DatabaseProperties, readProperties } from './database-properties.js'
import type { BoundDatabase } from './restore-job.js'
import { openMaintenance, type Session } from './session.js'
import { shielded } from './shielded.js'
import { applyProperties, createDatabase, dropDatabase, nameBeside, refuseIfInUse, swapDatabases } from './target.js'

/** A {@link ScratchDatabase} before a driver is bound to it. */
export interface Scratch extends AsyncDisposable {
  readonly connection: Connection
  swap(options: { readonly terminateConnections: boolean }, ctx: RunContext): Promise<{ readonly oldName: string }>
}

/**
 * Makes an empty database beside the bound one: `<db>__holdfast_<id>`.
 *
 * @param like - Whose encoding and locale it gets. Default: those of the bound database, if it exists.
 */
export async function makeScratch(
  { connection, settings }: BoundDatabase,
  ctx: RunContext,
  like?: DatabaseProperties,
): Promise<Scratch> {
  const { database } = connection
  const id = randomBytes(4).toString('hex')
  const name = nameBeside(database, `__holdfast_${id}`)
  await inMaintenance(ctx, async (session) => {
    await createDatabase(session, name, like ?? (await readProperties(session, database)))
  })
  let swapped = false

  async function inMaintenance<T>(using: RunContext, use: (session: Session) => Promise<T>): Promise<T> {
    await using session = await openMaintenance(connection, settings.maintenanceDatabase, using)
    return await use(session)
  }

  return {
    connection: toDatabase(connection, name),
    async swap({ terminateConnections }, swapCtx) {
      swapCtx.signal.throwIfAborted()
      const oldName = nameBeside(database, `__before_${id}`)
      await inMaintenance(shielded(swapCtx), async (session) => {
        const old = await readProperties(session, database)
        if (!old) throw noTarget(connection)
        if (!terminateConnections) await refuseIfInUse(session, database)
        await warnOfReplication(session, database, swapCtx)
        const lost = await applyProperties(session, name, old, { noOwner: false, noPrivileges: false })
        for (const message of lost) warn(message, swapCtx)
        await swapDatabases(session, { name: database, fresh: name, aside: oldName, terminateConnections })
      })
      swapped = true
      return { oldName }
    },
    async [Symbol.asyncDispose]() {
      if (!swapped) await inMaintenance(shielded(ctx), (session) => dropDatabase(session, name))
    },
  }
}

/** {@link Driver.scratch} for PostgreSQL. */
export async function scratch(
  bound: BoundDatabase,
  bind: (bound: BoundDatabase) => Driver,
  ctx: RunContext,
): Promise<ScratchDatabase> {
  const made = await makeScratch(bound, ctx)
  return { ...made, driver: bind({ ...bound, connection: made.connection, disposable: true }) }
}

/** Both name a database by its id: they stay with the old one, which nobody will look for under its new name. */
async function warnOfReplication(session: Session, database: string, ctx: RunContext): Promise<void> {
  const rows = await session.query<{ name: string }>(
    `select 'replication slot ' || slot_name as name from pg_replication_slots where database = $1
     union all select 'subscription ' || subname from pg_subscription s join pg_database d on d.oid = s.subdbid
      where d.datname = $1`,
    [database],
  )
  for (const { name } of rows) {
    warn(`The ${name} stays with the old database; make it anew where it is needed`, ctx)
  }
}

function warn(message: string, ctx: RunContext): void {
  ctx.log.warn(message)
  ctx.report({ type: 'warning', stage: 'restore', message })
}

function noTarget(connection: Connection): BackupError {
  return new BackupError('source-missing', {
    message: `There is no database ${displayOf(connection)} to swap with`,
    hint: 'Restore with mode create instead.',
  })
}

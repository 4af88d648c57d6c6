import { randomBytes } from 'node:crypto'
import { BackupError, type Driver, messageOf, type RunContext, type ScratchDatabase } from '@holdfast/core'
import { type Connection, displayOf, toDatabase } from './connection.js'
import { type DatabaseProperties, readProperties } from './database-properties.js'
import { quoteIdentifier } from './quoting.js'
import type { BoundDatabase } from './restore-job.js'
import { openMaintenance, type Session } from './session.js'
import { shielded } from './shielded.js'
import { applyProperties, createDatabase, dropDatabase, nameBeside, refuseIfInUse, swapDatabases } from './target.js'

/** A {@link ScratchDatabase} before a driver is bound to it. */
export interface Scratch extends AsyncDisposable {
  readonly connection: Connection
  swap(options: { readonly terminateConnections: boolean }, ctx: RunContext): Promise<{ readonly oldName: string }>
  /** Gives the scratch the name of the bound database, where there is none of that name. */
  takeName(ctx: RunContext): Promise<void>
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
  const name = nameBeside(database, scratchSuffix(id))
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
      const oldName = nameBeside(database, beforeSuffix(id))
      await inMaintenance(shielded(swapCtx), async (session) => {
        const old = await readProperties(session, database)
        if (!old) throw noTarget(connection)
        if (!terminateConnections) await refuseIfInUse(session, database)
        await warnOfReplication(session, database, swapCtx)
        const lost = await applyProperties(session, name, old, { noOwner: false, noPrivileges: false })
        for (const message of lost) warn(message, swapCtx)
        const reconnect = (): Promise<Session> =>
          openMaintenance(connection, settings.maintenanceDatabase, shielded(swapCtx))
        await swapDatabases(session, { name: database, fresh: name, aside: oldName, terminateConnections, reconnect })
      })
      swapped = true
      return { oldName }
    },
    async takeName(takeCtx) {
      takeCtx.signal.throwIfAborted()
      await inMaintenance(shielded(takeCtx), async (session) => {
        await session.query(`alter database ${quoteIdentifier(name)} rename to ${quoteIdentifier(database)}`)
      })
      swapped = true
    },
    async [Symbol.asyncDispose]() {
      if (swapped) return
      try {
        await inMaintenance(shielded(ctx), (session) => dropDatabase(session, name))
      } catch (error) {
        // Thrown here it would stand before the error that led here.
        warn(`${leftBehind(name)} (${messageOf(error)})`, ctx)
      }
    },
  }
}

/**
 * A warning for each database beside this one that nobody uses: a restore that was killed could not drop what it had
 * made, or what it had replaced.
 */
export async function leftovers(session: Session, database: string): Promise<readonly string[]> {
  const unfinished = await besides(session, database, scratchSuffix)
  const replaced = await besides(session, database, beforeSuffix)
  return [
    ...unfinished.map(leftBehind),
    ...replaced.map(
      (name) =>
        `The database ${quoteIdentifier(name)} was replaced earlier and is still there; drop it when it is not needed`,
    ),
  ]
}

/** Unused databases whose names are made of this one's and a suffix with an id. */
async function besides(session: Session, database: string, suffix: (id: string) => string): Promise<readonly string[]> {
  const prefix = nameBeside(database, suffix('00000000')).slice(0, -8)
  const rows = await session.query<{ name: string }>(
    `select datname::text as name from pg_database d
      where left(datname::text, $2) = $1 and substr(datname::text, $2 + 1) ~ '^[0-9a-f]{8}$'
        and not exists (select from pg_stat_activity a where a.datid = d.oid) order by 1`,
    [prefix, [...prefix].length],
  )
  return rows.map(({ name }) => name)
}

const scratchSuffix = (id: string): string => `__holdfast_${id}`
const beforeSuffix = (id: string): string => `__before_${id}`

function leftBehind(name: string): string {
  return `A restore left the unfinished database ${quoteIdentifier(name)} behind; drop it when no restore is running`
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

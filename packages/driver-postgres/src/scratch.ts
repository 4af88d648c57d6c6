import {
  BackupError,
  type Driver,
  messageOf,
  type Replaced,
  type RunContext,
  type ScratchDatabase,
  type ScratchOptions,
  type SwapOptions,
} from '@holdfast/core'
import { markStatement } from './aside-mark.js'
import { freeName } from './beside.js'
import { type Connection, toDatabase } from './connection.js'
import { type DatabaseProperties, propertiesFrom, readProperties } from './database-properties.js'
import { checkConnectable, mayGiveTo } from './preflight.js'
import { refuse } from './problems.js'
import type { ApplyOptions } from './property-statements.js'
import type { BoundDatabase } from './restore-job.js'
import { openMaintenance, openSession, type Session } from './session.js'
import { shielded } from './shielded.js'
import { dropSubscriptions } from './subscriptions.js'
import { renameDatabase, swapDatabases } from './swap.js'
import { checkSwap } from './swap-checks.js'
import { applyProperties, createDatabase, databaseExists, dropDatabase } from './target.js'
import { warn } from './warn.js'

/** A {@link ScratchDatabase} before a driver is bound to it. */
export interface Scratch extends AsyncDisposable {
  readonly connection: Connection
  /** Puts the scratch in the place of the bound database, which must exist. */
  swap(options: SwapOptions, ctx: RunContext): Promise<Replaced & { readonly oldName: string }>
  /**
   * Gives the scratch the name of the bound database, where there is none of that name.
   *
   * @param like - Whose owner, grants, settings and comment it gets.
   * @returns Warnings about what it could not be given.
   */
  takeName(like: DatabaseProperties | undefined, options: ApplyOptions, ctx: RunContext): Promise<readonly string[]>
}

/**
 * Makes an empty database beside the bound one: `<db>__holdfast_<id>`. A session stays in it until it is swapped in or
 * dropped, so that nobody takes it for one that was left behind.
 *
 * @param like - Whose encoding and locale it gets. Default: those of the bound database, if it exists.
 */
export async function makeScratch(
  { connection, settings }: BoundDatabase,
  ctx: RunContext,
  like?: DatabaseProperties,
): Promise<Scratch> {
  const { database } = connection
  const whole = shielded(ctx)
  const maintenance = (): Promise<Session> => openMaintenance(connection, settings.maintenanceDatabase, whole)
  ctx.signal.throwIfAborted()
  const name = await makeEmpty(maintenance, database, like, ctx)
  const own = toDatabase(connection, name)
  const guard = await openSession(own, whole).catch((error) => {
    ctx.log.debug(`No session stays in ${name}: ${messageOf(error)}`)
    return undefined
  })
  const leave = async (): Promise<void> => await guard?.[Symbol.asyncDispose]()
  const made: Made = { name, database, maintenance }
  let taken = false

  return {
    connection: own,
    async swap(options, swapCtx) {
      swapCtx.signal.throwIfAborted()
      await leave()
      const replaced = await swapIn(made, options, swapCtx)
      taken = true
      return replaced
    },
    async takeName(properties, options, takeCtx) {
      takeCtx.signal.throwIfAborted()
      await leave()
      const lost = await rename(made, properties, options)
      taken = true
      return lost
    },
    async [Symbol.asyncDispose]() {
      await leave()
      if (taken) return
      await dropSubscriptions(own, ctx)
      await dropUnfinished(made, ctx)
    },
  }
}

/** A scratch database, and how its server is reached for what cannot be done from within. */
interface Made {
  readonly name: string
  /** The bound one, in whose place it is to come. */
  readonly database: string
  /** A session of its own each time: one that was opened before hours of filling may be lost. */
  maintenance(): Promise<Session>
}

/** {@link Scratch.swap}, after the guard has left. */
async function swapIn(
  { name, database, maintenance }: Made,
  { terminateConnections, keepUntil }: SwapOptions,
  ctx: RunContext,
): Promise<Replaced & { readonly oldName: string }> {
  await using session = await maintenance()
  const old = await readProperties(session, database)
  if (!old) throw new BackupError('source-missing', { message: `There is no database ${database} to swap with` })
  await warnOfReplication(session, database, ctx)
  const { comment, ...like } = old
  const lost = await applyProperties(session, name, like, { noOwner: false, noPrivileges: false })
  for (const message of lost) warn(message, ctx)
  const oldName = await freeName(session, database, 'replaced', ctx.clock.now())
  const names = { name: database, fresh: name, aside: oldName }
  await swapDatabases(session, { ...names, comment, keepUntil, terminateConnections, another: maintenance })
  return { oldName, ...(keepUntil && { keepUntil }) }
}

/** {@link Scratch.takeName}, after the guard has left. */
async function rename(
  { name, database, maintenance }: Made,
  like: DatabaseProperties | undefined,
  options: ApplyOptions,
): Promise<readonly string[]> {
  await using session = await maintenance()
  const lost = like ? await applyProperties(session, name, { ...like, comment: undefined }, options) : []
  await renameDatabase(session, name, database, like?.comment)
  return lost
}

async function dropUnfinished({ name, maintenance }: Made, ctx: RunContext): Promise<void> {
  try {
    await using session = await maintenance()
    await dropDatabase(session, name)
  } catch (error) {
    // Thrown here it would stand before the error that led here.
    warn(`The unfinished database ${name} could not be dropped: ${messageOf(error)}; restore cleanup drops it`, ctx)
  }
}

/** Another restore may take the same name in the same second: then the next one is tried. */
async function makeEmpty(
  maintenance: () => Promise<Session>,
  database: string,
  like: DatabaseProperties | undefined,
  ctx: RunContext,
): Promise<string> {
  await using session = await maintenance()
  const properties = like ?? (await readProperties(session, database))
  const tablespace = await tablespaceOf(session, database, ctx)
  for (let tries = 0; ; tries++) {
    const name = await freeName(session, database, 'unfinished', ctx.clock.now())
    try {
      await createDatabase(session, name, properties, tablespace)
      await session.query(markStatement(name, { beside: database }))
      return name
    } catch (error) {
      if (tries === 3 || !(await databaseExists(session, name))) throw error
    }
  }
}

/** Where the bound database lies, if it lies elsewhere than the server puts new ones: there its disk was meant to be used. */
async function tablespaceOf(session: Session, database: string, ctx: RunContext): Promise<string | undefined> {
  const [row] = await session.query<{ name: string; may: boolean }>(
    `select spcname::text as name, has_tablespace_privilege(t.oid, 'CREATE') as may
       from pg_database d join pg_tablespace t on t.oid = d.dattablespace
      where d.datname = $1 and d.dattablespace <> (select dattablespace from pg_database where datname = 'template0')`,
    [database],
  )
  if (!row || row.may) return row?.name
  warn(`The role may make nothing in the tablespace ${row.name} of ${database}: the restored one lies elsewhere`, ctx)
  return undefined
}

/** {@link Driver.scratch} for PostgreSQL, for one that is to take the place of the bound database. */
export async function scratch(
  bound: BoundDatabase,
  bind: (bound: BoundDatabase) => Driver,
  options: ScratchOptions,
  ctx: RunContext,
): Promise<ScratchDatabase> {
  const { manifest, noOwner = false, noPrivileges = false, terminateConnections = false } = options
  const { database } = bound.connection
  await using session = await openMaintenance(bound.connection, bound.settings.maintenanceDatabase, ctx)
  const { problems } = await checkSwap(session, { database, manifest, terminateConnections })
  refuse(problems)
  for (const message of await checkConnectable(session, database, 'staged')) warn(message, ctx)
  const like = propertiesFrom(manifest.options)
  const made = await makeScratch(bound, ctx, like)

  async function swap(how: SwapOptions, swapCtx: RunContext): Promise<Replaced> {
    await using now = await openMaintenance(bound.connection, bound.settings.maintenanceDatabase, swapCtx)
    if (await databaseExists(now, database)) return await made.swap(how, swapCtx)
    const given = { noOwner: noOwner || !(await mayGiveTo(now, like?.owner)), noPrivileges }
    for (const message of await made.takeName(like, given, swapCtx)) warn(message, swapCtx)
    return {}
  }

  return {
    driver: bind({ ...bound, connection: made.connection, disposable: true }),
    swap,
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  }
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

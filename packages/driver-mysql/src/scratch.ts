import {
  BackupError,
  type Driver,
  messageOf,
  type Replaced,
  type RunContext,
  type ScratchDatabase,
  type ScratchOptions,
} from '@holdfast/core'
import { triggerWarnings } from './append-plan.js'
import type { BoundDatabase } from './bound-database.js'
import { toDatabase } from './connection.js'
import type { Definition } from './definitions.js'
import { exchange } from './exchange.js'
import { markScratch, schemasBeside, unmarkFilling } from './journal.js'
import { settleLeftovers } from './leftovers.js'
import { beforeName, idAt, scratchName } from './names.js'
import { type ExchangeRequest, planExchange } from './plan-exchange.js'
import { exchangeProblems } from './preflight.js'
import { quoteIdentifier } from './quoting.js'
import { lockDatabase } from './restore-lock.js'
import { createSchema, dropSchema, propertiesFrom, readProperties, type SchemaProperties } from './schema-properties.js'
import { type Session, schemaExists, withSession } from './session.js'
import { shielded } from './shielded.js'

/** What an exchange did. */
export interface Exchanged extends Replaced {
  readonly warnings: readonly string[]
}

/** A scratch before a driver is bound to it. */
export interface Scratch extends AsyncDisposable {
  readonly bound: BoundDatabase
  /** Moves what it holds into the database. @returns The schema that holds what was there. */
  exchange(
    options: { readonly extent: ExchangeRequest['extent']; readonly terminateConnections: boolean },
    ctx: RunContext,
  ): Promise<Exchanged>
}

/** Makes an empty database beside the bound one, which nobody else takes for left behind as long as this process lives. */
export async function makeScratch(
  bound: BoundDatabase,
  like: SchemaProperties | undefined,
  ctx: RunContext,
): Promise<Scratch> {
  const { connection } = bound
  const id = await withSession(connection, ctx, (session) => freeId(session, connection.database, ctx), 'none')
  const name = scratchName(connection.database, id)
  const holder = await lockDatabase(connection, name, shielded(ctx))
  const enabledEvents = new Set<string>()
  try {
    await createSchema(holder, name, like ?? (await ownProperties(holder, connection.database)))
    await markScratch(holder, name, connection.database)
  } catch (error) {
    await holder[Symbol.asyncDispose]()
    throw error
  }
  return {
    bound: { ...bound, connection: toDatabase(connection, name), scratch: { enabledEvents } },
    async exchange({ extent, terminateConnections }, exchangeCtx) {
      const request = { incoming: name, extent, enabledEvents, like, terminateConnections }
      return await exchangeInto(bound, request, exchangeCtx)
    },
    async [Symbol.asyncDispose]() {
      try {
        // A session of its own: the one that holds the lock may have been lost meanwhile.
        await withSession(connection, shielded(ctx), (session) => dropSchema(session, name), 'none')
      } catch (error) {
        const message = `The unfinished database ${name} could not be dropped: ${messageOf(error)}`
        ctx.log.warn(message)
        ctx.report({ type: 'warning', stage: 'restore', message })
      } finally {
        await holder[Symbol.asyncDispose]()
      }
    },
  }
}

/** What is to take the place of what a database holds. */
export interface Incoming {
  readonly incoming: string
  readonly extent: ExchangeRequest['extent']
  readonly enabledEvents: ReadonlySet<string>
  readonly definitions?: readonly Definition[]
  readonly like: SchemaProperties | undefined
  readonly terminateConnections: boolean
}

/** Plans and does an exchange, under the lock of the database, and not to be stopped halfway. */
export async function exchangeInto(
  bound: BoundDatabase,
  { like, terminateConnections, ...incoming }: Incoming,
  ctx: RunContext,
): Promise<Exchanged> {
  ctx.signal.throwIfAborted()
  const { connection, settings } = bound
  const { database } = connection
  await using session = await lockDatabase(connection, database, shielded(ctx))
  const existed = await schemaExists(session, database)
  if (!existed) await createSchema(session, database, like)
  const aside = beforeName(database, await freeId(session, database, ctx))
  const plan = await planExchange(session, { ...incoming, database, aside })
  const properties = await readProperties(session, database)
  const options = { properties, lockTimeoutMs: settings.lockTimeout, terminateConnections }
  await exchange(session, plan, options, shielded(ctx))
  await unmarkFilling(session, database) // what an interrupted restore left there has gone aside
  if (like && incoming.extent === 'all') await applyProperties(session, database, like)
  const warnings = await triggerWarnings(session, database, plan.filled)
  if (existed) return { oldName: aside, warnings }
  await dropSchema(session, aside)
  return { warnings }
}

async function applyProperties(session: Session, database: string, like: SchemaProperties): Promise<void> {
  const { charset, collation } = like
  const quoted = quoteIdentifier(database)
  await session.query(`alter database ${quoted} character set ${charset} collate ${collation}`)
}

/** The time, as an id that nothing beside the database has yet: two within a second get the next one. */
async function freeId(session: Session, database: string, ctx: RunContext): Promise<string> {
  const taken = new Set(
    [
      ...(await schemasBeside(session, database, scratchName)),
      ...(await schemasBeside(session, database, beforeName)),
    ].map((name) => name.slice(-8)),
  )
  for (let time = ctx.clock.now(); ; time = new Date(time.getTime() + 1000)) {
    const id = idAt(time)
    if (!taken.has(id)) return id
  }
}

async function ownProperties(session: Session, database: string): Promise<SchemaProperties | undefined> {
  return (await schemaExists(session, database)) ? await readProperties(session, database) : undefined
}

/** {@link Driver.scratch} for MySQL and MariaDB. */
export async function scratch(
  bound: BoundDatabase,
  { manifest, toSwap }: ScratchOptions,
  bind: (bound: BoundDatabase) => Driver,
  ctx: RunContext,
): Promise<ScratchDatabase> {
  const { connection } = bound
  await withSession(connection, ctx, (session) => settleLeftovers(session, bound, ctx), 'none')
  if (toSwap) {
    // Found now rather than after hours of filling. That others are connected does no harm: a renaming only waits for
    // those that are using a table.
    await using session = await lockDatabase(connection, connection.database, ctx)
    const [problem] = await exchangeProblems(session, connection.database)
    if (problem) throw new BackupError('restore-refused', problem)
  }
  const made = await makeScratch(bound, propertiesFrom(manifest.options), ctx)
  return {
    driver: bind(made.bound),
    swap: ({ terminateConnections }, swapCtx) => made.exchange({ extent: 'all', terminateConnections }, swapCtx),
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  }
}

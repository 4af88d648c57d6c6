import {
  type Driver,
  messageOf,
  type Replaced,
  type RunContext,
  type ScratchDatabase,
  type ScratchOptions,
  type SwapOptions,
} from '@holdfast/core'
import { freeName } from './beside.js'
import type { BoundDatabase } from './bound-database.js'
import { toDatabase } from './connection.js'
import { type Exchanged, exchangeInto } from './exchange-into.js'
import { refusePending, settleLeftovers } from './leftovers.js'
import { markScratch } from './marks.js'
import type { ExchangeRequest } from './plan-exchange.js'
import { exchangeFindings, refuse } from './preflight.js'
import { lockDatabase } from './restore-lock.js'
import { rightsFindings } from './restore-rights.js'
import { createSchema, dropSchema, propertiesFrom, readProperties, type SchemaProperties } from './schema-properties.js'
import { type Session, schemaExists, withSession } from './session.js'
import { shielded } from './shielded.js'
import { warn } from './warn.js'

/** A scratch before a driver is bound to it. */
export interface Scratch extends AsyncDisposable {
  readonly bound: BoundDatabase
  /** Moves what it holds into the database. @returns The schema that holds what was there. */
  exchange(options: SwapOptions & { readonly extent: ExchangeRequest['extent'] }, ctx: RunContext): Promise<Exchanged>
}

/** Makes an empty database beside the bound one, which nobody else takes for left behind as long as this process lives. */
export async function makeScratch(
  bound: BoundDatabase,
  like: SchemaProperties | undefined,
  ctx: RunContext,
): Promise<Scratch> {
  const { connection } = bound
  const { database } = connection
  const name = await withSession(connection, ctx, (session) => freeName(session, database, 'unfinished', ctx), 'none')
  const holder = await lockDatabase(connection, name, shielded(ctx))
  const enabledEvents = new Set<string>()
  try {
    await createSchema(holder, name, like ?? (await ownProperties(holder, database)))
    await markScratch(holder, name, database)
  } catch (error) {
    await holder[Symbol.asyncDispose]()
    throw error
  }
  return {
    bound: { ...bound, connection: toDatabase(connection, name), scratch: { enabledEvents } },
    async exchange(options, exchangeCtx) {
      return await exchangeInto(bound, { ...options, incoming: name, enabledEvents, like }, exchangeCtx)
    },
    async [Symbol.asyncDispose]() {
      try {
        // A session of its own: the one that holds the lock may have been lost meanwhile.
        await withSession(connection, shielded(ctx), (session) => dropSchema(session, name), 'none')
      } catch (error) {
        warn(`The unfinished database ${name} could not be dropped: ${messageOf(error)}`, ctx)
      } finally {
        await holder[Symbol.asyncDispose]()
      }
    },
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
  const { unbelieved } = await withSession(connection, ctx, (session) => settleLeftovers(session, bound, ctx), 'none')
  if (toSwap) {
    refusePending(unbelieved)
    // Found now rather than after hours of filling. That others are connected does no harm: a renaming only waits for
    // those that are using a table.
    await using session = await lockDatabase(connection, connection.database, ctx)
    const { problems } = await rightsFindings(session, connection.database, { manifest }, { mode: 'staged' }, ctx)
    const exchange = await exchangeFindings(session, connection.database, 'staged')
    refuse([...exchange.problems, ...problems])
  }
  const made = await makeScratch(bound, propertiesFrom(manifest.options), ctx)
  return {
    driver: bind(made.bound),
    swap: async (options, swapCtx) => told(await made.exchange({ ...options, extent: 'all' }, swapCtx), swapCtx),
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  }
}

/** The warnings of an exchange go where nobody waits for a report. */
export function told({ warnings, ...replaced }: Exchanged, ctx: RunContext): Replaced {
  for (const message of warnings) warn(message, ctx)
  return replaced
}

import type { AsideDatabase, Replaced, RunContext } from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { exchangeInto } from './exchange-into.js'
import { isBare, readJournal, schemasBeside, scratchOf } from './journal.js'
import { settleLeftovers } from './leftovers.js'
import { beforeName, scratchName, timeOfName } from './names.js'
import { isLocked } from './restore-lock.js'
import { tablesOf } from './schema-objects.js'
import { dropSchema, readProperties } from './schema-properties.js'
import { told } from './scratch.js'
import { type Session, withSession } from './session.js'

/** {@link Driver.asides} for MySQL and MariaDB. */
export async function asides(bound: BoundDatabase, ctx: RunContext): Promise<readonly AsideDatabase[]> {
  const { connection } = bound
  const { database } = connection
  return await withSession(
    connection,
    ctx,
    async (session) => {
      await settleLeftovers(session, bound, ctx)
      const found: AsideDatabase[] = []
      for (const name of await schemasBeside(session, database, scratchName)) {
        if (await isLeft(session, name, database)) found.push(await describe(session, bound, name, 'unfinished'))
      }
      for (const name of await schemasBeside(session, database, beforeName)) {
        const journal = await readJournal(session, name)
        // Names are cut to what fits: that of another database may look the same.
        const isWhole = journal?.plan.database === database && journal.plan.extent === 'all'
        if (isWhole) found.push(await describe(session, bound, name, 'replaced'))
      }
      return found.sort((a, b) => b.since.getTime() - a.since.getTime())
    },
    'none',
  )
}

/** Whether a restore that is over has left it; one that was killed a moment after it had made it left it bare. */
async function isLeft(session: Session, name: string, database: string): Promise<boolean> {
  if (await isLocked(session, name)) return false
  const owner = await scratchOf(session, name)
  return owner === undefined ? await isBare(session, name) : owner === database
}

async function describe(
  session: Session,
  bound: BoundDatabase,
  name: string,
  kind: AsideDatabase['kind'],
): Promise<AsideDatabase> {
  const tables = await tablesOf(session, name)
  const drop = async (ctx: RunContext): Promise<void> => {
    await withSession(bound.connection, ctx, (dropping) => dropSchema(dropping, name), 'none')
  }
  return {
    name,
    kind,
    since: timeOfName(name),
    sizeBytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(kind === 'replaced' ? { takeBack: (options, ctx) => takeBack(bound, name, options, ctx) } : {}),
    drop,
  }
}

/** What a restore replaced takes its place again; its views and the like are made from the text that was kept. */
async function takeBack(
  bound: BoundDatabase,
  name: string,
  { terminateConnections }: { readonly terminateConnections: boolean },
  ctx: RunContext,
): Promise<Replaced> {
  const { connection } = bound
  const kept = await withSession(
    connection,
    ctx,
    async (session) => ({
      definitions: (await readJournal(session, name))?.plan.dropped ?? [],
      like: await readProperties(session, name),
    }),
    'none',
  )
  const incoming = { incoming: name, extent: 'all' as const, enabledEvents: new Set<string>(), terminateConnections }
  const result = await exchangeInto(bound, { ...incoming, ...kept }, ctx)
  await withSession(connection, ctx, (session) => dropSchema(session, name), 'none')
  return told(result, ctx)
}

import {
  type AsideDatabase,
  BackupError,
  messageOf,
  type Replaced,
  type RunContext,
  type SwapOptions,
} from '@holdfast/core'
import { type Beside, schemasBeside } from './beside.js'
import type { BoundDatabase } from './bound-database.js'
import { exchangeInto } from './exchange-into.js'
import { isBare, type Journal, readJournal } from './journal.js'
import { settleLeftovers } from './leftovers.js'
import { scratchOf } from './marks.js'
import { quoteIdentifier } from './quoting.js'
import { isLocked, lockDatabase } from './restore-lock.js'
import { type TableInfo, tablesOf } from './schema-objects.js'
import { dropSchema, readProperties } from './schema-properties.js'
import { told } from './scratch.js'
import { type Session, withSession } from './session.js'
import { shielded } from './shielded.js'
import { warn } from './warn.js'

/** {@link Driver.asides} for MySQL and MariaDB. */
export async function asides(bound: BoundDatabase, ctx: RunContext): Promise<readonly AsideDatabase[]> {
  const { connection } = bound
  const { database } = connection
  return await withSession(
    connection,
    ctx,
    async (session) => {
      const { unbelieved } = await settleLeftovers(session, bound, ctx)
      for (const { problem } of unbelieved) warn(`${problem.message}. ${problem.hint}`, ctx)
      const found: AsideDatabase[] = []
      for (const beside of await schemasBeside(session, database)) {
        if (await isLeft(session, beside, database)) {
          found.push(await describe(session, bound, { ...beside, kind: 'unfinished' }))
        }
        if (beside.kind !== 'replaced') continue // a journal in there is of the dump that was restored
        const journal = await readJournal(session, beside.name, database)
        // One that has only begun, or is a part of what was there, is the next restore's to settle.
        const isReplaced = journal?.state === 'lost' || (journal?.state === 'done' && journal.plan.extent === 'all')
        if (isReplaced) found.push(await describe(session, bound, { ...beside, kind: 'replaced' }, journal))
      }
      return found.sort((a, b) => b.since.getTime() - a.since.getTime())
    },
    'none',
  )
}

/** Whether a restore that is over has left it; one that was killed a moment after it had made it left it bare. */
async function isLeft(session: Session, { name, kind }: Beside, database: string): Promise<boolean> {
  if (await isLocked(session, name)) return false
  const owner = await scratchOf(session, name)
  return owner === undefined ? kind === 'unfinished' && (await isBare(session, name)) : owner === database
}

async function describe(
  session: Session,
  bound: BoundDatabase,
  { name, kind, since }: Beside,
  journal?: Journal,
): Promise<AsideDatabase> {
  const { connection } = bound
  const tables = await tablesOf(session, name)
  const keepUntil = journal?.plan.keepUntil
  const canGoBack = journal !== undefined && isWhole(journal, tables)
  // A restore that works on it now needs it; see makeScratch for whose lock that is.
  const lock = kind === 'unfinished' ? name : connection.database
  return {
    name,
    kind,
    since,
    ...(keepUntil === undefined ? {} : { keepUntil: new Date(keepUntil) }),
    sizeBytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(canGoBack ? { takeBack: (options, ctx) => takeBack(bound, name, options, ctx) } : {}),
    async drop(ctx) {
      await using dropping = await lockDatabase(connection, lock, ctx)
      await dropSchema(dropping, name)
    },
  }
}

/**
 * Whether everything that was replaced is there. It is not where it was taken back already, and only the empty schema
 * was left, or where somebody has taken a table out: what stands in its place now would go for less than there was.
 */
function isWhole({ state, plan }: Journal, tables: readonly TableInfo[]): boolean {
  const there = new Set(tables.map(({ name }) => name))
  const { outgoingTables, dropped } = plan
  const hasAny = outgoingTables.length + dropped.length > 0
  return state === 'done' && hasAny && outgoingTables.every((name) => there.has(name))
}

/** What a restore replaced takes its place again; its views and the like are made from the text that was kept. */
async function takeBack(bound: BoundDatabase, name: string, options: SwapOptions, ctx: RunContext): Promise<Replaced> {
  const { connection } = bound
  const read = async (session: Session): Promise<Journal> => {
    const journal = await readJournal(session, name, connection.database)
    if (journal?.state === 'unbelieved') throw journal.problem
    if (journal && isWhole(journal, await tablesOf(session, name))) return journal
    throw notWhole(name)
  }
  const kept = await withSession(
    connection,
    ctx,
    async (session) => {
      const { dropped: definitions, routineGrants = [] } = (await read(session)).plan
      return { definitions, routineGrants, like: await readProperties(session, name) }
    },
    'none',
  )
  const check = async (session: Session): Promise<void> => void (await read(session))
  const incoming = { incoming: name, extent: 'all' as const, enabledEvents: new Set<string>(), check }
  const result = await exchangeInto(bound, { ...options, ...incoming, ...kept }, ctx)
  await withSession(connection, shielded(ctx), (session) => dropSchema(session, name), 'none').catch((error) => {
    // It is empty, and offered for nothing but to be cleaned up.
    warn(`${quoteIdentifier(name)}, which is empty now, could not be dropped: ${messageOf(error)}`, ctx)
  })
  return told(result, ctx)
}

function notWhole(name: string): BackupError {
  return new BackupError('restore-refused', {
    message: `${quoteIdentifier(name)} does not hold any more what was put aside there`,
    hint: 'It may have been taken back already. Restore a backup instead.',
  })
}

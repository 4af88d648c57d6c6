import {
  BackupError,
  type Inventory,
  type InventoryLevel,
  type InventoryTable,
  isBackupError,
  messageOf,
  type RunContext,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { mayGlobally } from './grants.js'
import { quoteIdentifier, quoteQualified } from './quoting.js'
import type { TableInfo } from './schema-objects.js'
import { openSession, type Session } from './session.js'

/** A transaction of ours that sees what the dump sees. */
export interface Snapshot extends AsyncDisposable {
  /** To be called just before the program starts: where the user may, nobody writes from here to `release`. */
  hold(): Promise<void>
  /**
   * To be called when the program has started: lets others write as soon as it has its own view of the data, or ended.
   *
   * @param begun - Resolves when the program itself says that it is past the beginning of its transaction.
   */
  release(begun: Promise<void>, ended: Promise<unknown>): Promise<void>
  /** Counts, once; later calls wait for the same result. */
  inventory(): Promise<Inventory>
}

/** How long others may be kept from writing, and how long the lock itself is waited for. */
const longestHoldMs = 10_000
const lockWaitSeconds = 5

/** Prepares the snapshot of a dump. Nothing is asked of the server before `hold`. */
export function prepareSnapshot(
  bound: BoundDatabase,
  tables: readonly TableInfo[],
  level: Exclude<InventoryLevel, 'none'>,
  ctx: RunContext,
): Snapshot {
  const { connection, settings } = bound
  const counted = tables.filter(({ kind }) => kind === 'table')
  let view: Session | undefined
  let lock: Session | undefined
  let exact = false
  let counting: Promise<Inventory> | undefined
  let releasing: Promise<void> | undefined

  const unlock = async (): Promise<void> => {
    const held = lock
    lock = undefined
    await held?.[Symbol.asyncDispose]() // the lock goes with its connection
  }
  const snapshot: Snapshot = {
    async hold() {
      view = await openSession(connection, ctx)
      const locks = settings.globalReadLock !== false && !settings.lockTables
      if (locks && (await mayGlobally(view, 'RELOAD'))) lock = await lockEverything(bound, ctx)
      await view.query(`set session time_zone = '+00:00'`)
      await view.query('set transaction isolation level repeatable read')
      await view.query('start transaction with consistent snapshot')
    },
    release(begun, ended) {
      releasing ??= (async () => {
        if (!lock) return
        const seen = await inTime(begun, ended, ctx)
        exact = seen && counted.every(({ transactional }) => transactional)
        await unlock()
      })()
      return releasing
    },
    inventory() {
      counting ??= (async () => {
        await releasing?.catch(() => {})
        if (!view) throw new BackupError('internal', { message: 'The inventory was asked for before the dump began' })
        const tables = await countTables(view, connection.database, counted, level).catch(tooLong)
        return { level, exact, tables }
      })()
      counting.catch(() => {}) // whoever awaits it sees the error
      return counting
    },
    async [Symbol.asyncDispose]() {
      await unlock()
      const opened = view
      view = undefined
      await opened?.[Symbol.asyncDispose]()
    },
  }
  return snapshot
}

/** @returns `undefined` where the lock is not to be had soon: long queries must not keep everybody from writing. */
async function lockEverything({ connection }: BoundDatabase, ctx: RunContext): Promise<Session | undefined> {
  const session = await openSession(connection, ctx)
  try {
    await session.query(`set session lock_wait_timeout = ${lockWaitSeconds}`)
    await session.query('flush tables with read lock')
    return session
  } catch (error) {
    await session[Symbol.asyncDispose]()
    ctx.signal.throwIfAborted()
    if (!isBackupError(error)) throw error
    ctx.log.info(`The inventory is approximate: no global read lock within ${lockWaitSeconds} s (${messageOf(error)})`)
    return undefined
  }
}

/**
 * Waits until the dump program has begun its transaction. One that has ended meanwhile saw nothing but what the lock
 * kept still.
 */
async function inTime(begun: Promise<void>, ended: Promise<unknown>, ctx: RunContext): Promise<boolean> {
  const waiting = new AbortController()
  const signal = AbortSignal.any([ctx.signal, waiting.signal])
  const late = ctx.clock.sleep(longestHoldMs, signal).then(() => 'late' as const)
  late.catch(() => {}) // nobody waits for it any more when it is given up
  const settled = Promise.allSettled([ended])
  try {
    if ((await Promise.race([begun, settled, late])) !== 'late') return true
    ctx.log.info('The inventory is approximate: the dump program took too long to begin')
    return false
  } finally {
    waiting.abort()
  }
}

/** Somebody holds a table: to the one who waits for a backup, that is no target in use. */
function tooLong(error: unknown): never {
  if (!isBackupError(error, 'target-in-use')) throw error
  throw new BackupError('timed-out', {
    message: `The rows could not be counted for the inventory: ${messageOf(error)}`,
    hint: 'Another session held a table for longer than lockTimeout.',
    retryable: true,
    cause: error,
  })
}

async function countTables(
  view: Session,
  database: string,
  tables: readonly TableInfo[],
  level: string,
): Promise<readonly InventoryTable[]> {
  const counted: InventoryTable[] = []
  for (const { name } of tables) {
    const from = `from ${quoteQualified(database, name)}`
    if (level === 'counts') {
      const [row] = await view.query<{ total: number }>(`select count(*) as total ${from}`)
      counted.push({ name, rows: Number(row?.total ?? 0) })
      continue
    }
    const expression = rowExpression(await columnsOf(view, database, name))
    // A sum does not depend on the order of the rows, and unlike an exclusive or tells duplicates apart.
    const [row] = await view.query<{ total: number; checksum: string }>(
      `select count(*) as total,
              cast(coalesce(sum(cast(conv(left(${hashOf(expression)}, 16), 16, 10) as decimal(20))), 0) as char) as checksum ${from}`,
    )
    counted.push({ name, rows: Number(row?.total ?? 0), checksum: row?.checksum ?? '0' })
  }
  return counted
}

interface Column {
  readonly name: string
  readonly type: string
}

async function columnsOf(view: Session, database: string, table: string): Promise<readonly Column[]> {
  return await view.query<{ name: string; type: string }>(
    `select column_name as name, data_type as type from information_schema.columns
      where binary table_schema = binary ? and binary table_name = binary ? order by ordinal_position`,
    [database, table],
  )
}

const spatial = /^(geometry|point|linestring|polygon|multi.*|geom.*coll.*)$/
const long = /(text|blob|json|vector)$/

/** MySQL 9.7 has neither md5() nor sha1() any more. */
const hashOf = (expression: string): string => `sha2(${expression}, 256)`

/** All columns of a row as one text in which none can pose as another. */
function rowExpression(columns: readonly Column[]): string {
  const parts = columns.map(({ name, type }) => {
    const column = quoteIdentifier(name)
    if (spatial.test(type)) return `coalesce(${hashOf(`st_aswkb(${column})`)}, '-')`
    if (type === 'bit') return `coalesce(hex(${column}), '-')`
    const bytes = `cast(${column} as binary)`
    return `coalesce(${long.test(type) ? hashOf(bytes) : `hex(${bytes})`}, '-')`
  })
  return `concat_ws(',', ${parts.join(', ')})`
}

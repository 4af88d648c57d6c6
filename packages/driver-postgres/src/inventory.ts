import type { Inventory, InventoryTable } from '@holdfast/core'
import { quoteQualified } from './quoting.js'
import { type DumpedTable, dumpedTables, type Selection } from './selection.js'
import type { Session } from './session.js'

/** A transaction of ours whose view of the database the dump shares. */
export interface Snapshot {
  /** For `pg_dump --snapshot`. */
  readonly id: string
  /** Starts to count, once; later calls wait for the same result. */
  inventory(): Promise<Inventory>
}

/**
 * Begins a transaction and exports its snapshot. The transaction stays open as long as the session: what the dump
 * sees, this sees, whatever is written meanwhile.
 */
export async function beginSnapshot(
  session: Session,
  selection: Selection,
  level: 'counts' | 'checksums',
): Promise<Snapshot> {
  await session.query('begin isolation level repeatable read read only')
  await session.query(localSettings(session))
  const [row] = await session.query<{ id: string }>('select pg_export_snapshot() as id')
  let counting: Promise<Inventory> | undefined
  return {
    id: row?.id ?? '',
    inventory() {
      counting ??= takeInventory(session, selection, level)
      counting.catch(() => {}) // started beside the dump; whoever awaits it sees the error
      return counting
    },
  }
}

/** One statement: each would cost a round trip, and every round trip delays the dump. */
function localSettings({ versionNumber }: Session): string {
  const settings: readonly (readonly [name: string, value: string, since?: number])[] = [
    // The transaction idles as long as the dump takes, and must not be ended for that. As pg_dump does for itself.
    ['statement_timeout', '0'],
    ['lock_timeout', '0'],
    ['idle_in_transaction_session_timeout', '0'],
    ['transaction_timeout', '0', 170_000],
    // A count of a big table ends soon after this process does.
    ['client_connection_check_interval', '5s', 140_000],
    // Counts gain nothing from compiled expressions, and the compiler takes the dump's processor time.
    ['jit', 'off'],
    // The dump beside it is what should go fast.
    ['max_parallel_workers_per_gather', '0'],
    // A role that sees only some rows of a table must fail, not count them.
    ['row_security', 'off'],
  ]
  const known = settings.filter(([, , since = 0]) => versionNumber >= since)
  return `select ${known.map(([name, value]) => `set_config('${name}', '${value}', true)`).join(', ')}`
}

async function takeInventory(
  session: Session,
  selection: Selection,
  level: 'counts' | 'checksums',
): Promise<Inventory> {
  const tables: InventoryTable[] = []
  await session.query('savepoint counting')
  try {
    for (const table of await dumpedTables(selection, session)) {
      tables.push(await countTable(session, table, level))
    }
  } catch (error) {
    // A failed transaction would take the snapshot away from the dump, which then fails for no reason of its own.
    await session.query('rollback to savepoint counting').catch(() => {})
    throw error
  }
  return { level, exact: true, tables: tables.sort(byName) }
}

async function countTable(session: Session, table: DumpedTable, level: string): Promise<InventoryTable> {
  const { schema, name } = table
  const from = `from only ${quoteQualified(schema, name)} as t`
  if (level === 'counts') {
    const [row] = await session.query<{ rows: number }>(`select count(*)::float8 as rows ${from}`)
    return { schema, name, rows: row?.rows ?? 0 }
  }
  // `t` alone could be a column of that name. A sum does not depend on the order of the rows, and unlike an exclusive or tells duplicates apart.
  const [row] = await session.query<{ rows: number; checksum: string }>(
    `select count(*)::float8 as rows, coalesce(sum(hashtextextended((t.*)::text, 0)::numeric), 0)::text as checksum ${from}`,
  )
  return { schema, name, rows: row?.rows ?? 0, checksum: row?.checksum ?? '0' }
}

function byName(a: InventoryTable, b: InventoryTable): number {
  return compare(a.schema ?? '', b.schema ?? '') || compare(a.name, b.name)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

import { BackupError } from '@holdfast/core'
import type { ArchiveEntry } from './archive.js'
import { lockRoomHint } from './errors.js'
import type { Session } from './session.js'

/** Locks that making an object takes until the end of the transaction: a table has its TOAST table and index. */
const locksOf: Readonly<Record<string, number>> = {
  TABLE: 3,
  'MATERIALIZED VIEW': 3,
  'FOREIGN TABLE': 1,
  VIEW: 1,
  SEQUENCE: 1,
  INDEX: 1,
  CONSTRAINT: 1,
  'TABLE DATA': 1,
}

/** About how many locks a single transaction over these objects takes. */
export function locksNeeded(objects: readonly Pick<ArchiveEntry, 'kind'>[], drops: boolean): number {
  const made = objects.reduce((sum, { kind }) => sum + (locksOf[kind] ?? 0), 0)
  return drops ? made * 2 + objects.filter(({ kind }) => kind === 'BLOB').length : made
}

/**
 * How many locks the server's table has room for.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-locks.html
 */
export async function lockRoom(session: Session): Promise<number> {
  const [row] = await session.query<{ room: number }>(
    `select (current_setting('max_locks_per_transaction')::int
             * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int)) as room`,
  )
  return row?.room ?? 0
}

/** @throws {BackupError} `restore-refused` when a single transaction would fail for want of locks. */
export async function requireLockRoom(session: Session, needed: number): Promise<void> {
  const room = await lockRoom(session)
  if (needed <= room) return
  throw new BackupError('restore-refused', {
    message: `The restore would take about ${needed} locks in one transaction, and the server has room for ${room}`,
    hint: lockRoomHint,
  })
}

import { BackupError, isBackupError, type RunContext } from '@holdfast/core'
import type { Connection } from './connection.js'
import { lockName } from './names.js'
import { quoteIdentifier } from './quoting.js'
import { openSession, type Session, withSession } from './session.js'

/**
 * Keeps others from restoring into a database, as long as the session lives: the server lets go of the lock when the
 * connection ends, however it ends.
 *
 * @throws {BackupError} `target-in-use` when another restore holds it.
 */
export async function lockDatabase(
  connection: Connection,
  database: string,
  ctx: RunContext,
  seconds: number = patienceSeconds,
): Promise<Session> {
  const session = await openSession(connection, ctx, 'none')
  if (await tryLock(session, database, seconds)) return session
  await session[Symbol.asyncDispose]()
  throw new BackupError('target-in-use', {
    message: `Another restore works on ${quoteIdentifier(database)}`,
    hint: 'Wait for it to end.',
    retryable: true,
  })
}

/**
 * The same after the session that held the lock was lost: the server may still be at work for it, which is ended.
 *
 * @param lost - Its {@link Session.id}.
 */
export async function lockAfter(
  connection: Connection,
  database: string,
  lost: number,
  ctx: RunContext,
): Promise<Session> {
  await withSession(connection, ctx, (session) => kill(session, lost), 'none')
  return await lockDatabase(connection, database, ctx, longPatienceSeconds)
}

async function kill(session: Session, id: number): Promise<void> {
  await session.query(`kill ${id}`).catch((error) => {
    if (isBackupError(error, 'source-unreachable')) throw error // else it has ended by itself
  })
}

/** Ends the session that holds a lock, if there is one, and waits until the server does nothing for it any more. */
export async function endLocked(session: Session, lock: string): Promise<void> {
  const [row] = await session.query<{ id: number | null }>('select is_used_lock(?) as id', [lock])
  if (row?.id) await kill(session, Number(row.id))
  await session.query('select get_lock(?, ?)', [lock, longPatienceSeconds])
  await session.query('select release_lock(?)', [lock])
}

/** The server takes a moment to notice that a connection is gone. */
const patienceSeconds = 2
const longPatienceSeconds = 15

/** @returns Whether the session has the lock now. */
export async function tryLock(session: Session, database: string, seconds: number = patienceSeconds): Promise<boolean> {
  const [row] = await session.query<{ got: number | null }>('select get_lock(?, ?) as got', [
    lockName(database),
    seconds,
  ])
  return Number(row?.got) === 1
}

/** Lets go of it before the session ends. */
export async function unlock(session: Session, database: string): Promise<void> {
  await session.query('select release_lock(?)', [lockName(database)])
}

/** Whether a restore works on a database now. */
export async function isLocked(session: Session, database: string): Promise<boolean> {
  const [row] = await session.query<{ free: number | null }>('select is_free_lock(?) as free', [lockName(database)])
  return Number(row?.free) !== 1
}

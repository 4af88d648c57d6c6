import { BackupError, isBackupError, messageOf } from '@holdfast/core'
import {
  type ApplyOptions,
  applyStatements,
  createDatabaseStatement,
  type DatabaseProperties,
} from './database-properties.js'
import { quoteIdentifier } from './quoting.js'
import type { Session } from './session.js'

/** Most bytes of a name in PostgreSQL. */
const maxNameBytes = 63

/** `base` and `suffix` within the bytes that a name may have: the base is cut, never within a character. */
export function nameBeside(base: string, suffix: string): string {
  const room = maxNameBytes - Buffer.byteLength(suffix)
  let cut = base
  while (Buffer.byteLength(cut) > room) cut = [...cut].slice(0, -1).join('')
  return cut + suffix
}

/** The server's major version. */
export const majorVersion = (session: Session): number => Math.floor(session.versionNumber / 10_000)

/** Whether the server has a database of that name. */
export async function databaseExists(session: Session, name: string): Promise<boolean> {
  return (await session.query('select 1 from pg_database where datname = $1', [name])).length > 0
}

/**
 * Makes an empty database, and gives it the properties of another one.
 *
 * @throws {BackupError} `restore-refused` when the server cannot make one like that.
 */
export async function createDatabase(
  session: Session,
  name: string,
  like: DatabaseProperties | undefined,
): Promise<void> {
  try {
    await session.query(createDatabaseStatement(name, like, majorVersion(session)))
  } catch (error) {
    throw new BackupError('restore-refused', {
      message: `The database ${quoteIdentifier(name)} could not be made: ${messageOf(error)}`,
      hint: 'The role needs CREATEDB, and the server the locale of the source. Or make the database yourself, empty, and restore into it.',
      cause: error,
    })
  }
}

/**
 * Gives a database the owner, grants, settings, limit and comment of another.
 *
 * @returns Warnings about settings that this role may not make. Owner and grants are not to be had by halves: they throw.
 */
export async function applyProperties(
  session: Session,
  name: string,
  like: DatabaseProperties,
  options: ApplyOptions,
): Promise<readonly string[]> {
  const warnings: string[] = []
  for (const { sql, essential } of applyStatements(name, like, options)) {
    try {
      await session.query(sql)
    } catch (error) {
      if (essential) throw error
      warnings.push(`Not carried over: ${sql} (${messageOf(error)})`)
    }
  }
  return warnings
}

/** Drops a database and ends whoever is in it. One that does not exist is success. */
export async function dropDatabase(session: Session, name: string): Promise<void> {
  if (session.versionNumber >= 130_000) {
    await session.query(`drop database if exists ${quoteIdentifier(name)} with (force)`)
    return
  }
  await endConnections(session, name)
  await session.query(`drop database if exists ${quoteIdentifier(name)}`)
}

/** How many sessions others have in a database. */
async function countConnections(session: Session, name: string): Promise<number> {
  const [row] = await session.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
      where datname = $1 and pid <> pg_backend_pid() and backend_type = 'client backend'`,
    [name],
  )
  return row?.count ?? 0
}

/**
 * Gives sessions that have just been closed, our own among them, two seconds to be gone.
 *
 * @throws {BackupError} `target-in-use` when others are connected.
 */
export async function refuseIfInUse(session: Session, name: string): Promise<void> {
  let count = await countConnections(session, name)
  for (let tries = 0; count > 0 && tries < 20; tries++) {
    await session.query('select pg_sleep(0.1)')
    count = await countConnections(session, name)
  }
  if (count === 0) return
  throw new BackupError('target-in-use', {
    message: `The database ${quoteIdentifier(name)} is in use by ${count} ${count === 1 ? 'session' : 'sessions'}`,
    hint: 'Stop what uses it, or allow the restore to end connections (terminateConnections).',
    retryable: true,
  })
}

/** What {@link swapDatabases} does. */
export interface Swap {
  /** The name that is fought for. */
  readonly name: string
  /** Has it afterwards. */
  readonly fresh: string
  /** What the one that had it is called afterwards. */
  readonly aside: string
  readonly terminateConnections: boolean
  /** A session anew, in the maintenance database: the one that swaps may be lost. */
  reconnect(): Promise<Session>
}

/**
 * Gives the name of a database to another one, in one transaction. While it lasts nobody can connect to the old one,
 * where connections may be ended; the lock of the rename waits five seconds for those that remain.
 *
 * @throws {BackupError} `target-in-use`. Either both have changed their names, or none.
 */
export async function swapDatabases(session: Session, swap: Swap): Promise<void> {
  const { name, fresh, aside, terminateConnections } = swap
  const [old, next, after] = [name, fresh, aside].map(quoteIdentifier)
  if (!terminateConnections) await refuseIfInUse(session, name)
  try {
    if (terminateConnections) await session.query(`alter database ${old} allow_connections false`)
    if (terminateConnections) await endConnections(session, name)
    await session.query('begin')
    await session.query(`alter database ${old} rename to ${after}`)
    await session.query(`alter database ${next} rename to ${old}`)
    if (terminateConnections) await session.query(`alter database ${after} allow_connections true`)
    await session.query('commit')
  } catch (error) {
    await session.query('rollback').catch(() => {})
    if (terminateConnections) await letConnectAgain(swap, error)
    throw error
  }
}

/** The statement that lets users connect to a database again. */
export function allowConnections(name: string): string {
  return `ALTER DATABASE ${quoteIdentifier(name)} ALLOW_CONNECTIONS true`
}

/** @throws {BackupError} with the statement to run, when it cannot be run from here. */
async function letConnectAgain({ name, reconnect }: Swap, failure: unknown): Promise<void> {
  const statement = allowConnections(name)
  try {
    await using session = await reconnect()
    await session.query(statement)
  } catch (error) {
    throw new BackupError(isBackupError(failure) ? failure.code : 'restore-failed', {
      message: `${messageOf(failure)}; and nobody may be able to connect to ${quoteIdentifier(name)} any more (${messageOf(error)})`,
      hint: `Run in another database of the server: ${statement};`,
      cause: failure,
    })
  }
}

async function endConnections(session: Session, name: string): Promise<void> {
  await session.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()`,
    [name],
  )
}

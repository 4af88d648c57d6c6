import { BackupError, isBackupError, messageOf } from '@holdfast/core'
import type { DatabaseProperties } from './database-properties.js'
import { type ApplyOptions, applyStatements, createDatabaseStatement } from './property-statements.js'
import { quoteIdentifier } from './quoting.js'
import type { Session } from './session.js'

/** The server's major version. */
export const majorVersion = (session: Session): number => Math.floor(session.versionNumber / 10_000)

/** Whether the server has a database of that name. */
export async function databaseExists(session: Session, name: string): Promise<boolean> {
  return (await session.query('select 1 from pg_database where datname = $1', [name])).length > 0
}

/**
 * Makes an empty database like another one.
 *
 * @param tablespace - Default: that of `template0`.
 * @throws {BackupError} `restore-refused` when the server cannot make one like that.
 */
export async function createDatabase(
  session: Session,
  name: string,
  like: DatabaseProperties | undefined,
  tablespace?: string,
): Promise<void> {
  const where = tablespace === undefined ? '' : ` tablespace ${quoteIdentifier(tablespace)}`
  try {
    await session.query(createDatabaseStatement(name, like, majorVersion(session)) + where)
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

/**
 * Drops a database and ends whoever is in it. One that does not exist is success.
 *
 * @throws {BackupError} `target-in-use` when somebody is in it whom the role may not end.
 */
export async function dropDatabase(session: Session, name: string): Promise<void> {
  const drop = `drop database if exists ${quoteIdentifier(name)}`
  if (session.versionNumber >= 130_000) return await ending(name, session.query(`${drop} with (force)`))
  await endConnections(session, name)
  await session.query(drop)
}

/**
 * How many processes others have in a database: sessions, and what replicates it or works in it in the background. All
 * of them keep it from being renamed but autovacuum, which gives way and has no user. Of what a process is the server
 * tells only who may read it all.
 */
async function countConnections(session: Session, name: string): Promise<number> {
  const [row] = await session.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
      where datname = $1 and pid <> pg_backend_pid() and usesysid is not null`,
    [name],
  )
  return row?.count ?? 0
}

/**
 * Who is in a database: `2 sessions`; `undefined` for nobody. Sessions that have just been closed, our own among them,
 * are given two seconds to be gone.
 */
export async function usersOf(session: Session, name: string): Promise<string | undefined> {
  let count = await countConnections(session, name)
  for (let tries = 0; count > 0 && tries < 20; tries++) {
    await session.query('select pg_sleep(0.1)')
    count = await countConnections(session, name)
  }
  return count === 0 ? undefined : `${count} ${count === 1 ? 'session' : 'sessions'}`
}

/** @throws {BackupError} `target-in-use` when others are connected. */
export async function refuseIfInUse(session: Session, name: string): Promise<void> {
  const users = await usersOf(session, name)
  if (users === undefined) return
  throw new BackupError('target-in-use', {
    message: `The database ${quoteIdentifier(name)} is in use by ${users}`,
    hint: 'Stop what uses it (pg_stat_activity names it), or allow the restore to end connections (--terminate, or terminateConnections).',
    retryable: true,
  })
}

/** The statement that lets users connect to a database again. */
export function allowConnections(name: string): string {
  return `ALTER DATABASE ${quoteIdentifier(name)} ALLOW_CONNECTIONS true`
}

/**
 * Ends whoever is in a database.
 *
 * @throws {BackupError} `target-in-use` when the role may not end one of them.
 */
export async function endConnections(session: Session, name: string): Promise<void> {
  const end = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()'
  await ending(name, session.query(end, [name]))
}

/**
 * Ends the sessions in a database, or none of them where the role may not end one. What the server itself does there
 * (autovacuum) gives way by itself.
 *
 * @throws {BackupError} `target-in-use`.
 */
export async function endOthers(session: Session, name: string): Promise<void> {
  await requireMayEnd(session, name)
  const end = `select pg_terminate_backend(pid) from pg_stat_activity
                where datname = $1 and pid <> pg_backend_pid() and usesysid is not null`
  await ending(name, session.query(end, [name]))
}

/** @throws {BackupError} `target-in-use` when somebody is in a database whom the role may not end. */
export async function requireMayEnd(session: Session, name: string): Promise<void> {
  const rows = await session.query(
    `select 1 from pg_stat_activity a join pg_roles r on r.oid = a.usesysid, pg_roles me
      where me.rolname = current_user and a.datname = $1 and a.pid <> pg_backend_pid() and not me.rolsuper
        and (r.rolsuper or not (pg_has_role(r.oid, 'USAGE') or pg_has_role('pg_signal_backend', 'USAGE')))`,
    [name],
  )
  if (rows.length > 0) throw mayNotEnd(name)
}

/** Says what is missing where `work` may not end somebody's connection. */
async function ending(name: string, work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    throw isBackupError(error, 'source-denied') ? mayNotEnd(name, error) : error
  }
}

function mayNotEnd(name: string, cause?: unknown): BackupError {
  return new BackupError('target-in-use', {
    message: `The database ${quoteIdentifier(name)} is in use by a session that this role may not end`,
    hint: 'Stop what uses it (pg_stat_activity names it), or connect as a superuser: a member of pg_signal_backend may end all sessions but those of superusers.',
    retryable: true,
    cause,
  })
}

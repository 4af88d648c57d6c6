import { BackupError } from '@holdfast/core'
import { quoteIdentifier } from './quoting.js'
import type { Session } from './session.js'

/**
 * Only who owns a database may rename, replace or drop it.
 *
 * @throws {BackupError} `restore-refused`.
 */
export async function requireOwner(
  session: Session,
  database: string,
  toDo: 'replace' | 'rename' | 'drop' = 'replace',
): Promise<void> {
  const [row] = await session.query<{ owner: string; owns: boolean }>(
    `select pg_get_userbyid(datdba)::text as owner, pg_has_role(current_user, datdba, 'USAGE') as owns
       from pg_database where datname = $1`,
    [database],
  )
  if (row?.owns !== false) return
  const elsewhere = toDo === 'replace' ? ', or restore with mode clean or append, or into another database' : ''
  throw new BackupError('restore-refused', {
    message: `The database ${quoteIdentifier(database)} belongs to ${row.owner}: only that role, or a member, may ${toDo} it`,
    hint: `Connect as its owner${elsewhere}.`,
  })
}

/** @throws {BackupError} `restore-refused` when the role may not make databases. */
export async function requireMayCreate(session: Session): Promise<void> {
  const role = await roleWithoutCreatedb(session)
  if (role === undefined) return
  throw new BackupError('restore-refused', {
    message: `The role ${role} may not make databases`,
    hint: `Let it: ALTER ROLE ${role} CREATEDB; or make the database yourself, empty, and restore into it.`,
  })
}

/** Beside owning it, the server asks of who renames a database that they could make one. */
export async function requireMayRename(session: Session, database: string): Promise<void> {
  await requireOwner(session, database, 'rename')
  const role = await roleWithoutCreatedb(session)
  if (role === undefined) return
  throw new BackupError('restore-refused', {
    message: `The role ${role} may not rename the database ${quoteIdentifier(database)}: it owns it, but lacks CREATEDB`,
    hint: `Let it: ALTER ROLE ${role} CREATEDB; or connect as a superuser.`,
  })
}

/** The session's role, quoted, if it may not make databases. */
async function roleWithoutCreatedb(session: Session): Promise<string | undefined> {
  const [row] = await session.query<{ role: string; may: boolean }>(
    'select rolname::text as role, rolsuper or rolcreatedb as may from pg_roles where rolname = current_user',
  )
  return row?.may === false ? quoteIdentifier(row.role) : undefined
}

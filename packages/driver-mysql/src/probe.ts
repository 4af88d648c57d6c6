import type { DatabaseInfo, RunContext, ServerInfo } from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { mayAnything } from './grants.js'
import { codeOf, type TableInfo, tablesOf } from './schema-objects.js'
import { isMissing, openSession, type Session, withSession } from './session.js'
import { readsWholeDatabase, readsWholeTable } from './whole-database.js'

/** {@link Driver.probe} for MySQL and MariaDB. */
export async function probe({ connection }: BoundDatabase, ctx: RunContext): Promise<ServerInfo> {
  try {
    await using session = await openSession(connection, ctx)
    return { ...(await readServer(session)), database: await readDatabase(session, connection.database) }
  } catch (error) {
    if (!isMissing(error)) throw error
    return await withSession(connection, ctx, readServer, 'none')
  }
}

async function readServer(session: Session): Promise<Pick<ServerInfo, 'version' | 'superuser'>> {
  return { version: session.server.version, superuser: await mayAnything(session) }
}

async function readDatabase(session: Session, database: string): Promise<DatabaseInfo> {
  const tables = await tablesOf(session, database)
  const code = await codeOf(session, database)
  const [row] = await session.query<{ encoding: string; connections: number }>(
    `select default_character_set_name as encoding,
            (select count(*) from information_schema.processlist p
              where binary p.db = binary s.schema_name and p.id <> connection_id()) as connections
       from information_schema.schemata s where binary schema_name = binary ?`,
    [database],
  )
  return {
    sizeBytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    encoding: row?.encoding ?? '',
    tables: tables.filter(({ kind }) => kind === 'table').length,
    empty: tables.length === 0 && code.length === 0,
    extensions: [],
    unreadable: await readUnreadable(session, database, tables),
    connections: Number(row?.connections ?? 0),
  }
}

/**
 * Tables that the user may see but not read, or of which only some columns: a dump program may leave out the others
 * without a word. What the user has no right on at all, the server does not show: there is nothing to compare with.
 */
async function readUnreadable(
  session: Session,
  database: string,
  tables: readonly TableInfo[],
): Promise<readonly string[]> {
  if (await readsWholeDatabase(session, database)) return []
  const unreadable: string[] = []
  for (const { name, kind } of tables) {
    if (kind === 'table' && !(await readsWholeTable(session, database, name))) unreadable.push(`${database}.${name}`)
  }
  return unreadable
}

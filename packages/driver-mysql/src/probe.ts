import type { DatabaseInfo, RunContext, ServerInfo } from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { mayAnything } from './grants.js'
import { codeOf, tablesOf } from './schema-objects.js'
import { isMissing, openSession, type Session, withSession } from './session.js'

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
    unreadable: await readUnreadable(session, database),
    connections: Number(row?.connections ?? 0),
  }
}

/**
 * Tables that the user may see but not read. What the user has no right on at all, the server does not show: there is
 * nothing to compare with.
 */
async function readUnreadable(session: Session, database: string): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>(
    `select distinct c.table_name as name from information_schema.columns c
       join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
      where binary c.table_schema = binary ? and t.table_type <> 'VIEW' and t.table_type <> 'SEQUENCE'
        and find_in_set('select', c.privileges) = 0 order by 1`,
    [database],
  )
  return rows.map(({ name }) => `${database}.${name}`)
}

import { quoteIdentifier, quoteQualified } from './quoting.js'
import { codeOf } from './schema-objects.js'
import type { Session } from './session.js'

/** Drops everything that a database holds, and leaves the database itself as it is. */
export async function emptySchema(session: Session, database: string): Promise<void> {
  await session.query('set session foreign_key_checks = 0')
  for (const { kind, name } of await codeOf(session, database)) {
    await session.query(`drop ${kind} if exists ${quoteQualified(database, name)}`)
  }
  const rows = await session.query<{ name: string; type: string }>(
    `select table_name as name, table_type as type from information_schema.tables
      where binary table_schema = binary ? order by table_name like '\\\\_\\\\_holdfast\\\\_%'`,
    [database],
  )
  // The marks of Holdfast go last: as long as they are there, the next command knows what to do.
  for (const { name, type } of rows) {
    const kind = type.includes('VIEW') ? 'view' : type === 'SEQUENCE' ? 'sequence' : 'table'
    await session.query(`drop ${kind} if exists ${quoteIdentifier(database)}.${quoteIdentifier(name)}`)
  }
  await session.query('set session foreign_key_checks = 1')
}

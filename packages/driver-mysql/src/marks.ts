import { quoteQualified } from './quoting.js'
import { ownTables } from './schema-objects.js'
import type { Session } from './session.js'

// Both marks have a primary key: servers can be set to take no table without one.

const fillingTable = ownTables.filling

/** Marks a database as one that is being filled. */
export async function markFilling(session: Session, database: string): Promise<void> {
  await session.query(
    `create table if not exists ${quoteQualified(database, fillingTable)} (i int primary key) engine = InnoDB`,
  )
}

/** Takes the mark away: the database is whole. */
export async function unmarkFilling(session: Session, database: string): Promise<void> {
  await session.query(`drop table if exists ${quoteQualified(database, fillingTable)}`)
}

/** Whether a restore into a database was killed, or is under way. It tells nothing of what was done there since. */
export async function isFilling(session: Session, database: string): Promise<boolean> {
  const rows = await session.query(
    'select 1 as found from information_schema.tables where binary table_schema = binary ? and table_name = ?',
    [database, fillingTable],
  )
  return rows.length > 0
}

const scratchTable = ownTables.scratch

/**
 * Marks a schema as the scratch of a database, in one statement. Its name alone proves nothing: anybody may have made
 * one of that name, and names of two databases that are cut to what fits look the same.
 */
export async function markScratch(session: Session, scratch: string, database: string): Promise<void> {
  const table = quoteQualified(scratch, scratchTable)
  await session.query(
    `create table if not exists ${table} (beside varchar(64) primary key) engine = InnoDB comment = ?`,
    [database],
  )
}

/** The database that a scratch was made for; `undefined` for a schema without a mark. */
export async function scratchOf(session: Session, schema: string): Promise<string | undefined> {
  const [row] = await session.query<{ comment: string }>(
    'select table_comment as comment from information_schema.tables where binary table_schema = binary ? and table_name = ?',
    [schema, scratchTable],
  )
  return row?.comment
}

import { BackupError, isBackupError } from '@holdfast/core'
import { quoteIdentifier } from './quoting.js'
import type { Session } from './session.js'

/** What a database is besides its objects, which no dump of one database holds. */
export interface SchemaProperties {
  readonly charset: string
  readonly collation: string
}

/**
 * Reads them.
 *
 * @throws {BackupError} `source-missing`.
 */
export async function readProperties(session: Session, database: string): Promise<SchemaProperties> {
  const [row] = await session.query<{ charset: string; collation: string }>(
    `select default_character_set_name as charset, default_collation_name as collation
       from information_schema.schemata where binary schema_name = binary ?`,
    [database],
  )
  if (row) return { charset: row.charset, collation: row.collation }
  throw new BackupError('source-missing', { message: `The server has no database ${quoteIdentifier(database)}` })
}

/** What a manifest says of them; anything else is not taken into a statement. */
export function propertiesFrom(options: Readonly<Record<string, unknown>>): SchemaProperties | undefined {
  const { database } = options
  if (typeof database !== 'object' || database === null) return undefined
  const { charset, collation } = database as Readonly<Record<string, unknown>>
  const isName = (value: unknown): value is string => typeof value === 'string' && /^\w+$/.test(value)
  return isName(charset) && isName(collation) ? { charset, collation } : undefined
}

/** Makes an empty database. One whose collation the server does not know gets the nearest that it does. */
export async function createSchema(
  session: Session,
  name: string,
  like: SchemaProperties | undefined,
): Promise<readonly string[]> {
  const known = like && (await isKnown(session, like))
  const suffix = like && known ? ` character set ${like.charset} collate ${like.collation}` : ''
  const fallback = like && !known ? ' character set utf8mb4' : ''
  try {
    await session.query(`create database ${quoteIdentifier(name)}${suffix}${fallback}`)
  } catch (error) {
    throw new BackupError('restore-refused', {
      message: `The database ${quoteIdentifier(name)} could not be made: ${error instanceof Error ? error.message : error}`,
      hint: 'The user needs CREATE on it. Or make the database yourself, empty, and restore into it.',
      cause: error,
    })
  }
  return fallback ? [`The server does not know the collation ${like?.collation}; ${name} gets utf8mb4`] : []
}

/** Drops a database. One that does not exist is success. */
export async function dropSchema(session: Session, name: string): Promise<void> {
  await session.query(`drop database if exists ${quoteIdentifier(name)}`)
}

/** Asked by using it: MariaDB lists collations that fit several character sets under a shorter name. */
async function isKnown(session: Session, { collation, charset }: SchemaProperties): Promise<boolean> {
  try {
    await session.query(`select convert('' using ${charset}) collate ${collation}`)
    return true
  } catch (error) {
    if (isBackupError(error, 'source-unreachable')) throw error
    return false
  }
}

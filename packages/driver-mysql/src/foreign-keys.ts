import { BackupError, isBackupError, messageOf } from '@holdfast/core'
import type { ForeignKey } from './journal.js'
import { quoteIdentifier, quoteQualified } from './quoting.js'
import type { Session } from './session.js'

/** A foreign key, and the table that it refers to. */
export interface Reference {
  readonly schema: string
  readonly table: string
  readonly name: string
  readonly referenced: string
}

/** Foreign keys of other databases: they would follow a table that is renamed, and nobody could say to what. */
export async function keysFromElsewhere(session: Session, database: string): Promise<readonly Reference[]> {
  return (await referencesTo(session, database)).filter(({ schema }) => schema !== database)
}

/** Every foreign key to a table of a schema, wherever it is. */
export async function referencesTo(session: Session, schema: string): Promise<readonly Reference[]> {
  return await session.query<Reference & Record<string, unknown>>(
    `select distinct table_schema as \`schema\`, table_name as \`table\`, constraint_name as name,
            referenced_table_name as referenced
       from information_schema.key_column_usage where binary referenced_table_schema = binary ?`,
    [schema],
  )
}

/** As the server writes it; tables of the same schema are not qualified. */
export async function readForeignKey(
  session: Session,
  { schema, table, name }: Reference,
): Promise<ForeignKey | undefined> {
  const [row = {}] = await session.query(`show create table ${quoteQualified(schema, table)}`)
  const definition = String(row['Create Table'] ?? '')
    .split('\n')
    .map((line) => line.trim().replace(/,$/, ''))
    .find((line) => line.startsWith(`CONSTRAINT ${quoteIdentifier(name)} FOREIGN KEY`))
  return definition === undefined ? undefined : { table, name, definition }
}

/** Those that are not there are left alone. */
export async function dropForeignKeys(session: Session, schema: string, keys: readonly ForeignKey[]): Promise<void> {
  for (const { table, name } of keys) {
    if (!(await hasForeignKey(session, schema, table, name))) continue
    await session.query(`alter table ${quoteQualified(schema, table)} drop foreign key ${quoteIdentifier(name)}`)
  }
}

/**
 * Those that are there already are left alone.
 *
 * @throws {BackupError} `restore-failed` for one that cannot be made.
 */
export async function addForeignKeys(session: Session, schema: string, keys: readonly ForeignKey[]): Promise<void> {
  if (keys.length > 0) await session.query(`use ${quoteIdentifier(schema)}`)
  for (const { table, name, definition } of keys) {
    if (await hasForeignKey(session, schema, table, name)) continue
    await session.query(`alter table ${quoteIdentifier(table)} add ${definition}`).catch((error) => {
      if (!isBackupError(error, 'internal')) throw error
      throw new BackupError('restore-failed', {
        message: `The foreign key ${quoteIdentifier(name)} of ${quoteIdentifier(table)} could not be made: ${messageOf(error)}`,
        hint: 'Does the table that it refers to have the columns that it has in the backup?',
        cause: error,
      })
    })
  }
}

async function hasForeignKey(session: Session, schema: string, table: string, name: string): Promise<boolean> {
  const rows = await session.query(
    `select 1 as found from information_schema.table_constraints
      where binary constraint_schema = binary ? and binary table_name = binary ? and binary constraint_name = binary ?
        and constraint_type = 'FOREIGN KEY'`,
    [schema, table, name],
  )
  return rows.length > 0
}

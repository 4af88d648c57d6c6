import { BackupError, isBackupError, messageOf } from '@holdfast/core'
import { noteAdded, type Plan } from './journal.js'
import { quoteIdentifier, quoteQualified } from './quoting.js'
import type { Session } from './session.js'

/**
 * Adds the rows that a plan wants added, in one transaction, which also notes in the journal that they have been: what
 * the journal says is what happened, whenever the connection is lost.
 *
 * @throws {BackupError} `restore-failed` where a row cannot be added, for example because its key is there already;
 *   `target-in-use` where somebody else holds such a row. No row is added then.
 */
export async function addRows(session: Session, { database, incoming, aside, filled }: Plan): Promise<void> {
  // As in a dump: zero stays zero, dates may be zero, and the order of tables does not matter. But nothing is made to fit.
  await session.query(
    `set session sql_mode = 'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES', foreign_key_checks = 0`,
  )
  await session.query('start transaction')
  try {
    for (const table of filled) {
      const columns = (await columnsOf(session, incoming, table)).map(quoteIdentifier).join(', ')
      await session.query(
        `insert into ${quoteQualified(database, table)} (${columns}) select ${columns} from ${quoteQualified(incoming, table)}`,
      )
    }
    await noteAdded(session, aside)
    await session.query('commit')
  } catch (error) {
    if (isBackupError(error, 'source-unreachable')) throw error
    await session.query('rollback')
    if (isBackupError(error, 'target-in-use')) throw error // which says what is in the way
    throw new BackupError('restore-failed', {
      message: `Rows could not be added: ${messageOf(error)}`,
      hint: 'Append adds every row of the backup; where rows are there already, restore with mode clean, or into another database.',
      cause: error,
    })
  }
  await session.query(`set session sql_mode = '', foreign_key_checks = 1`)
}

/** Generated columns are not given values. */
async function columnsOf(session: Session, schema: string, table: string): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>(
    `select column_name as name from information_schema.columns
      where binary table_schema = binary ? and binary table_name = binary ?
        and coalesce(generation_expression, '') = '' order by ordinal_position`,
    [schema, table],
  )
  return rows.map(({ name }) => name)
}

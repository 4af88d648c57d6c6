import { BackupError } from '@holdfast/core'
import { quoteIdentifier, quoteQualified } from './quoting.js'
import { tablesOf } from './schema-objects.js'
import type { Session } from './session.js'

/** Between which schemas rows are copied. */
interface Names {
  readonly database: string
  readonly incoming: string
}

/**
 * Adds the rows of each table of one schema to the table of that name in another, in one transaction.
 *
 * @param required - Refuses where a table with rows is missing; else such tables are left for the caller to move.
 * @throws {BackupError} `restore-failed` where a row cannot be added, for example because its key is there already;
 *   `restore-refused`. No row is added then.
 */
export async function addRows(session: Session, { database, incoming }: Names, required: boolean): Promise<void> {
  const there = new Map((await tablesOf(session, database)).map((table) => [table.name, table]))
  const coming = await tablesOf(session, incoming)
  const absent = coming.filter(({ name, kind }) => kind === 'table' && !there.has(name))
  if (required && absent.length > 0) throw missingTable(absent.map(({ name }) => name))
  // As in a dump: zero stays zero, dates may be zero, and the order of tables does not matter.
  await session.query(`set session sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0`)
  await session.query('start transaction')
  try {
    for (const { name, kind } of coming) {
      if (kind !== 'table' || there.get(name)?.kind !== 'table') continue
      const columns = (await columnsOf(session, incoming, name)).map(quoteIdentifier).join(', ')
      await session.query(
        `insert into ${quoteQualified(database, name)} (${columns}) select ${columns} from ${quoteQualified(incoming, name)}`,
      )
    }
    await session.query('commit')
  } catch (error) {
    await session.query('rollback').catch(() => {})
    throw new BackupError('restore-failed', {
      message: `Rows could not be added: ${error instanceof Error ? error.message : error}`,
      hint: 'Append adds every row of the backup; where rows are there already, restore with mode clean, or into another database.',
      cause: error,
    })
  }
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

function missingTable(names: readonly string[]): BackupError {
  return new BackupError('restore-refused', {
    message: `The target has no table ${names.slice(0, 5).map(quoteIdentifier).join(', ')} for the rows of the backup`,
    hint: 'Restore the schema first, or leave out sections.',
  })
}

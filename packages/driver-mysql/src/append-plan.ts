import { BackupError, type PreflightFindings, type PreflightRequest, type RestoreSource } from '@holdfast/core'
import { firstOf } from './first-of.js'
import { shown } from './journal.js'
import { quoteIdentifier } from './quoting.js'
import { hasRows, type TableInfo, tablesOf } from './schema-objects.js'
import type { Session } from './session.js'

/** Between which schemas rows are to be copied. */
interface Schemas {
  readonly database: string
  readonly incoming: string
}

/**
 * The tables of a database that get rows of those of the same name in another schema.
 *
 * @throws {BackupError} `restore-refused` where rows cannot be added all or not at all.
 */
export async function tablesToFill(session: Session, { database, incoming }: Schemas): Promise<readonly string[]> {
  const there = new Map((await tablesOf(session, database)).map((table) => [table.name, table]))
  const filled: TableInfo[] = []
  for (const { name, kind } of await tablesOf(session, incoming)) {
    const target = there.get(name)
    if (kind === 'table' && target && (await hasRows(session, incoming, name))) filled.push(target)
  }
  const otherKind = filled.filter(({ kind }) => kind !== 'table')
  if (otherKind.length > 0) throw noTable(otherKind.map(({ name }) => name))
  const plain = filled.filter(({ transactional }) => !transactional)
  if (plain.length > 0) throw new BackupError('restore-refused', noTransactions(plain))
  return filled.map(({ name }) => name)
}

/** What triggers did to rows that were added; nothing where there are none. */
export async function triggerWarnings(
  session: Session,
  database: string,
  tables: readonly string[],
): Promise<readonly string[]> {
  const ran = (await insertTriggers(session, database)).filter(({ table }) => tables.includes(table))
  if (ran.length === 0) return []
  return [`Triggers of the target ran for the rows that were added, which may differ from the backup: ${listed(ran)}`]
}

/** What is to be known of a target before rows are added to it. */
export async function appendFindings(
  session: Session,
  database: string,
  { manifest }: RestoreSource,
  request: Pick<PreflightRequest, 'tables' | 'sections'>,
): Promise<PreflightFindings> {
  if (request.sections === 'schema') return { problems: [], warnings: [] }
  const filled = manifest.inventory?.tables.filter(({ rows }) => rows > 0).map(({ name }) => name)
  const isChosen = (name: string): boolean =>
    request.tables === undefined || request.tables.some((table) => table === name || table.endsWith(`.${name}`))
  const mayGetRows = (name: string): boolean => isChosen(name) && (filled === undefined || filled.includes(name))
  const plain = (await tablesOf(session, database)).filter(
    ({ name, kind, transactional }) => kind === 'table' && !transactional && mayGetRows(name),
  )
  const triggers = (await insertTriggers(session, database)).filter(({ table }) => mayGetRows(table))
  const certain = filled !== undefined && plain.length > 0
  return {
    problems: certain ? [noTransactions(plain)] : [],
    warnings: [
      ...(plain.length > 0 && !certain
        ? [`The restore is refused if the backup holds rows of ${named(plain)}: no transaction can take them back`]
        : []),
      ...(triggers.length > 0
        ? [
            `Triggers of the target run for the rows that are added, which may then differ from the backup: ${listed(triggers)}`,
          ]
        : []),
    ],
  }
}

interface InsertTrigger {
  readonly name: string
  readonly table: string
}

async function insertTriggers(session: Session, database: string): Promise<readonly InsertTrigger[]> {
  return await session.query<InsertTrigger & Record<string, unknown>>(
    `select trigger_name as name, event_object_table as \`table\` from information_schema.triggers
      where binary trigger_schema = binary ? and event_manipulation = 'INSERT' order by 2, 1`,
    [database],
  )
}

const listed = (triggers: readonly InsertTrigger[]): string =>
  firstOf(triggers.map(({ name, table }) => `${quoteIdentifier(name)} on ${quoteIdentifier(table)}`))

const named = (tables: readonly TableInfo[]): string =>
  firstOf(tables.map(({ name, engine }) => `${quoteIdentifier(name)} (${engine})`))

function noTransactions(tables: readonly TableInfo[]): { readonly message: string; readonly hint: string } {
  return {
    message: `Rows can be added all or not at all only to tables with transactions, unlike ${named(tables)}`,
    hint: 'Make it InnoDB (ALTER TABLE … ENGINE = InnoDB), restore other tables alone, or restore with mode clean or into another database.',
  }
}

function noTable(names: readonly string[]): BackupError {
  return new BackupError('restore-refused', {
    message: `The backup holds rows of ${shown(names)}, which the target has as a view or sequence`,
    hint: 'Restore with mode clean, or into another database.',
  })
}

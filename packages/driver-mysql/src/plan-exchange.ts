import { BackupError } from '@holdfast/core'
import { tablesToFill } from './append-plan.js'
import { runEvent } from './definition-text.js'
import { type Definition, readDefinitions } from './definitions.js'
import { readForeignKey, referencesTo } from './foreign-keys.js'
import type { ColumnDefault, ForeignKey, Plan } from './journal.js'
import { quoteIdentifier, quoteQualified } from './quoting.js'
import { tablesOf } from './schema-objects.js'
import type { Session } from './session.js'

/** Between which schemas, and how much. */
export interface ExchangeRequest {
  readonly database: string
  readonly incoming: string
  readonly aside: string
  /**
   * `all`: the database holds in the end what is incoming, and nothing else. `same`: what has the name of something
   * incoming goes, the rest stays. `missing`: only what the database does not have comes, and rows are added to the
   * tables that it has.
   */
  readonly extent: 'all' | 'same' | 'missing'
  /** Events that stand still in the incoming schema, and are to run. */
  readonly enabledEvents: ReadonlySet<string>
  /** What the incoming schema has besides tables, where it does not hold it itself. */
  readonly definitions?: readonly Definition[]
}

/** Looks at both schemas, and decides what goes and what comes. Changes nothing. */
export async function planExchange(session: Session, request: ExchangeRequest): Promise<Plan> {
  const { database, incoming, aside, extent } = request
  const there = await tablesOf(session, database)
  const coming = await tablesOf(session, incoming)
  const held = await readDefinitions(session, database)
  const own = await readDefinitions(session, incoming)
  const arriving = request.definitions ?? own.map((one) => inEarnest(one, request))
  const isTable = ({ kind }: { readonly kind: string }): boolean => kind !== 'view'
  const thereNames = new Set(there.map(({ name }) => name))
  const comingNames = new Set([
    ...coming.filter(isTable).map(({ name }) => name),
    ...arriving.filter(({ kind }) => kind === 'view').map(({ name }) => name),
  ])
  const comes = (name: string): boolean => extent !== 'missing' || !thereNames.has(name)
  const goes = (name: string): boolean => extent === 'all' || (extent === 'same' && comingNames.has(name))
  const incomingTables = coming.filter((table) => isTable(table) && comes(table.name)).map(({ name }) => name)
  const outgoingTables = there.filter((table) => isTable(table) && goes(table.name)).map(({ name }) => name)

  const heldKeys = new Set(held.map(keyOf))
  const moved = new Set(incomingTables)
  const made = arriving.filter((one) => {
    if (extent !== 'missing') return true
    if (one.kind === 'trigger') return moved.has(one.table ?? '')
    return one.kind === 'view' ? !thereNames.has(one.name) : !heldKeys.has(keyOf(one))
  })
  const madeKeys = new Set(made.map(keyOf))
  const gone = new Set(outgoingTables)
  const dropped = held.filter((one) => {
    if (extent === 'all' || madeKeys.has(keyOf(one))) return true
    if (one.kind === 'trigger') return gone.has(one.table ?? '')
    return one.kind === 'view' && goes(one.name)
  })
  return {
    database,
    incoming,
    aside,
    extent,
    outgoingTables,
    incomingTables,
    dropped,
    made,
    incomingTriggers: own
      .filter(({ kind, table }) => kind === 'trigger' && moved.has(table ?? ''))
      .map(({ name }) => name),
    foreignKeys: await keysToOutgoing(session, database, gone),
    incomingKeys: await keysToLeft(session, incoming, moved),
    defaults: await qualifiedDefaults(session, incoming, database, moved),
    filled: extent === 'missing' ? await tablesToFill(session, request) : [],
  }
}

const keyOf = ({ kind, name }: Pick<Definition, 'kind' | 'name'>): string => JSON.stringify([kind, name])

/** As it is to be in the database: with its name where the incoming schema's stands, and running. */
function inEarnest(one: Definition, { incoming, database, enabledEvents }: ExchangeRequest): Definition {
  // The name of a scratch holds an id of its own: where it stands before a dot, it means the scratch.
  const sql = one.sql.replaceAll(`${quoteIdentifier(incoming)}.`, `${quoteIdentifier(database)}.`)
  return { ...one, sql: one.kind === 'event' && enabledEvents.has(one.name) ? runEvent(sql) : sql }
}

/**
 * Foreign keys follow a table that is renamed. Those of tables that stay are made anew, to mean the new one.
 *
 * @throws {BackupError} `restore-refused` where another database has one: it would follow, too.
 */
async function keysToOutgoing(
  session: Session,
  database: string,
  gone: ReadonlySet<string>,
): Promise<readonly ForeignKey[]> {
  const keys: ForeignKey[] = []
  for (const { schema, table, name, referenced } of await referencesTo(session, database)) {
    if (!gone.has(referenced)) continue
    if (schema !== database) throw foreignSchema(schema, table, name)
    if (gone.has(table)) continue
    const key = await readForeignKey(session, { schema, table, name, referenced })
    if (key) keys.push(key)
  }
  return keys
}

/** Those of tables that come to tables that do not would mean the incoming schema for ever. */
async function keysToLeft(
  session: Session,
  incoming: string,
  moved: ReadonlySet<string>,
): Promise<readonly ForeignKey[]> {
  const keys: ForeignKey[] = []
  for (const reference of await referencesTo(session, incoming)) {
    const { schema, table, referenced } = reference
    if (schema !== incoming || !moved.has(table) || moved.has(referenced)) continue
    const key = await readForeignKey(session, reference)
    if (key) keys.push(key)
  }
  return keys
}

function foreignSchema(schema: string, table: string, name: string): BackupError {
  return new BackupError('restore-refused', {
    message: `The table ${quoteQualified(schema, table)} of another database has a foreign key ${quoteIdentifier(name)} to a table that would be replaced`,
    hint: 'Drop that foreign key, restore, and make it again.',
  })
}

/** `DEFAULT nextval(`incoming`.`sequence`)` does not follow a renaming. MariaDB. */
async function qualifiedDefaults(
  session: Session,
  incoming: string,
  database: string,
  moved: ReadonlySet<string>,
): Promise<readonly ColumnDefault[]> {
  const qualifier = `${quoteIdentifier(incoming)}.`
  const rows = await session.query<{ table: string; column: string; expression: string }>(
    `select table_name as \`table\`, column_name as \`column\`, column_default as expression
       from information_schema.columns where binary table_schema = binary ? and locate(?, column_default) > 0`,
    [incoming, qualifier],
  )
  return rows
    .filter(({ table }) => moved.has(table))
    .map(({ table, column, expression }) => ({
      table,
      column,
      expression: expression.replaceAll(qualifier, `${quoteIdentifier(database)}.`),
    }))
}

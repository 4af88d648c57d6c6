import { BackupError, isBackupError, messageOf } from '@holdfast/core'
import { quoteIdentifier, quoteLiteral } from './quoting.js'
import { codeOf, dropObject, tablesOf } from './schema-objects.js'
import { type Session, schemaExists } from './session.js'

/** A view, trigger, routine or event: what is made of a statement, and in which state of the session. JSON. */
export interface Definition {
  readonly kind: 'view' | 'trigger' | 'procedure' | 'function' | 'package' | 'package body' | 'event'
  readonly name: string
  /** Of a trigger. */
  readonly table?: string
  readonly sql: string
  readonly sqlMode: string
  readonly collation: string
  readonly timeZone?: string
}

/** Every definition of a schema, in an order in which they can be made, views apart. */
export async function readDefinitions(session: Session, schema: string): Promise<readonly Definition[]> {
  if (!(await schemaExists(session, schema))) return []
  await session.query(`use ${quoteIdentifier(schema)}`) // names within the schema are then not qualified
  const definitions: Definition[] = []
  for (const { kind, name } of await codeOf(session, schema)) {
    definitions.push(await showCreate(session, kind, name))
  }
  for (const { name, kind } of await tablesOf(session, schema)) {
    if (kind === 'view') definitions.push(await showCreate(session, 'view', name))
  }
  const triggers = await session.query<{ name: string; table: string }>(
    `select trigger_name as name, event_object_table as \`table\` from information_schema.triggers
      where binary trigger_schema = binary ? order by event_object_table, action_timing, event_manipulation, action_order`,
    [schema],
  )
  for (const { name, table } of triggers) {
    definitions.push({ ...(await showCreate(session, 'trigger', name)), table })
  }
  return [...definitions].sort((a, b) => order(a) - order(b))
}

/** The definitions of those events of a schema that are named. What others have there is not looked at. */
export async function readEvents(
  session: Session,
  schema: string,
  names: ReadonlySet<string>,
): Promise<readonly Definition[]> {
  await session.query(`use ${quoteIdentifier(schema)}`)
  const events: Definition[] = []
  for (const { kind, name } of await codeOf(session, schema)) {
    if (kind === 'event' && names.has(name)) events.push(await showCreate(session, kind, name))
  }
  return events
}

/** Routines first: views and defaults may call them. Events last: they may run at once. */
function order({ kind }: Definition): number {
  return ['package', 'package body', 'function', 'procedure', 'view', 'trigger', 'event'].indexOf(kind)
}

async function showCreate(session: Session, kind: Definition['kind'], name: string): Promise<Definition> {
  const [row = {}] = await session.query(`show create ${kind} ${quoteIdentifier(name)}`)
  const sql = Object.entries(row).find(([column]) => /^(SQL Original Statement|Create )/i.test(column))?.[1]
  if (typeof sql !== 'string') {
    throw new BackupError('source-denied', {
      message: `The user may not see how the ${kind} ${quoteIdentifier(name)} is made`,
      hint: 'Grant SHOW_ROUTINE (MySQL), or SELECT on mysql.proc (MariaDB).',
    })
  }
  const text = (column: string): string => (typeof row[column] === 'string' ? row[column] : '')
  const timeZone = text('time_zone')
  return {
    kind,
    name,
    sql,
    sqlMode: text('sql_mode'),
    collation: text('collation_connection'),
    ...(timeZone ? { timeZone } : {}),
  }
}

/**
 * Makes definitions in a schema, in place of those of the same name. Views may need one another: those that fail are
 * tried again as long as some succeed.
 *
 * @param onFailure - Told of those that cannot be made. Default: the error is thrown.
 */
export async function makeDefinitions(
  session: Session,
  schema: string,
  definitions: readonly Definition[],
  onFailure?: (definition: Definition, error: unknown) => void,
): Promise<void> {
  let waiting = definitions
  while (waiting.length > 0) {
    const failed: Definition[] = []
    let failure: unknown
    for (const definition of waiting) {
      try {
        await dropObject(session, schema, definition)
        await make(session, schema, definition)
      } catch (error) {
        if (!isBackupError(error) || error.code === 'source-unreachable') throw error
        failed.push(definition)
        failure = new BackupError(error.code === 'internal' ? 'restore-failed' : error.code, {
          message: `The ${definition.kind} ${quoteIdentifier(definition.name)} could not be made: ${messageOf(error)}`,
          cause: error,
        })
      }
    }
    if (failed.length === waiting.length) {
      if (!onFailure) throw failure
      for (const definition of failed) onFailure(definition, failure)
      return
    }
    waiting = failed
  }
}

async function make(session: Session, schema: string, definition: Definition): Promise<void> {
  const { sqlMode, collation, timeZone, sql } = definition
  await session.query(`use ${quoteIdentifier(schema)}`)
  const zone = timeZone ? `, time_zone = ${quoteLiteral(timeZone)}` : ''
  const connection = collation ? `, collation_connection = ${quoteLiteral(collation)}` : ''
  await session.query(`set session sql_mode = ${quoteLiteral(sqlMode)}${connection}${zone}`)
  try {
    await session.query(sql)
  } finally {
    await session.query(`set session sql_mode = '', collation_connection = default, time_zone = default`)
  }
}

import { BackupError, type DumpRequest, nearHint } from '@holdfast/core'
import type { PostgresSettings } from './options.js'
import { parsePattern } from './patterns.js'
import { quoteQualified } from './quoting.js'
import type { Session } from './session.js'

/** What of a database is dumped, in patterns. */
export interface Selection {
  readonly tables: readonly string[]
  readonly excludeTables: readonly string[]
  readonly schemas: readonly string[]
  readonly excludeSchemas: readonly string[]
}

/** The tables that a dump holds rows of. */
export interface DumpedTable {
  readonly schema: string
  readonly name: string
}

/** The patterns of the request and of the driver's own options: a table is meant with its descendants. */
export function selectionOf(request: DumpRequest, settings: PostgresSettings): Selection {
  return {
    tables: request.tables ?? [],
    excludeTables: request.excludeTables ?? [],
    schemas: settings.schemas ?? [],
    excludeSchemas: settings.excludeSchemas ?? [],
  }
}

/** What is asked of pg_dump. A value never stands alone, so none can pass for an option. */
export function selectionArguments(selection: Selection): readonly string[] {
  return [
    ...selection.tables.map((pattern) => `--table=${pattern}`),
    ...selection.excludeTables.map((pattern) => `--exclude-table=${pattern}`),
    ...selection.schemas.map((pattern) => `--schema=${pattern}`),
    ...selection.excludeSchemas.map((pattern) => `--exclude-schema=${pattern}`),
    '--strict-names',
  ]
}

/**
 * Refuses patterns that match nothing: a typing error must not make an empty backup.
 *
 * @returns Warnings about exclusions that match nothing, which leave more in the dump, not less.
 * @throws {BackupError} `no-match`, naming the pattern.
 */
export async function checkPatterns(selection: Selection, session: Session): Promise<readonly string[]> {
  const warnings: string[] = []
  const check = async (kind: 'table' | 'schema', patterns: readonly string[], excludes: boolean): Promise<void> => {
    for (const pattern of patterns) {
      const exists = kind === 'table' ? await matchesTable(pattern, session) : await matchesSchema(pattern, session)
      const message = `No ${kind} matches ${excludes ? 'the exclusion ' : ''}${JSON.stringify(pattern)}`
      if (!exists && excludes) warnings.push(message)
      else if (!exists) throw await noMatch(message, kind, pattern, session)
    }
  }
  await check('table', selection.tables, false)
  await check('schema', selection.schemas, false)
  await check('table', selection.excludeTables, true)
  await check('schema', selection.excludeSchemas, true)
  return warnings
}

async function noMatch(
  message: string,
  kind: 'table' | 'schema',
  pattern: string,
  session: Session,
): Promise<BackupError> {
  const names = kind === 'table' ? `n.nspname || '.' || c.relname` : 'n.nspname'
  const rows = await session.query<{ name: string }>(`select distinct ${names} as name ${userTables}`)
  const near = nearHint(
    pattern,
    rows.map(({ name }) => name),
  )
  return new BackupError('no-match', { message, hint: `${near}${patternHint}` })
}

const patternHint =
  'Names are folded to lower case unless they stand in double quotes, and a table outside of the search path is named with its schema: sales.orders, "Sales"."Orders", sales.*.'

/**
 * The tables whose rows the dump holds: leaves of partitioned ones, no views, no foreign tables, nothing that belongs
 * to an extension, and nothing without rows on a standby.
 */
export async function dumpedTables(selection: Selection, session: Session): Promise<readonly DumpedTable[]> {
  return await tablesWithRows(selection, session, `not (${isOfPrimary})`)
}

/** Those of them that have rows on the primary alone, where the server is a standby. */
export async function tablesOfPrimary(selection: Selection, session: Session): Promise<readonly DumpedTable[]> {
  return await tablesWithRows(selection, session, isOfPrimary)
}

/** A standby has no rows of tables without a log, and lets nobody look. pg_dump leaves them out there by itself. */
const isOfPrimary = `c.relpersistence = 'u' and pg_is_in_recovery()`

async function tablesWithRows(
  selection: Selection,
  session: Session,
  condition: string,
): Promise<readonly DumpedTable[]> {
  const values: unknown[] = []
  const { schemas, excludeSchemas } = selection
  const tables = await chosenTables(selection, session, values)
  const isIncluded = selection.tables.length === 0 && schemas.length > 0 ? anySchema(schemas, values) : 'true'
  return await session.query<DumpedTable & Record<string, unknown>>(
    `${namesOfTables}
        and c.relkind = 'r' and ${condition}
        and not exists (select 1 from pg_depend e
                         where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
        and ${tables} and (${isIncluded}) and not (${anySchema(excludeSchemas, values)})
      order by pg_relation_size(c.oid) desc, 1, 2`,
    values,
  )
}

/** Whether a table of a query is chosen with its family, as far as patterns of tables say; binds these to `values`. */
export async function chosenTables(
  { tables, excludeTables }: Selection,
  session: Session,
  values: unknown[],
): Promise<string> {
  const searchPath = await defaultSearchPath(session)
  const isChosen = tables.length > 0 ? inFamily(anyTable(tables, values, searchPath)) : 'true'
  return `(${isChosen} and not ${inFamily(anyTable(excludeTables, values, searchPath))})`
}

/**
 * The selection with what `pg_dump` has to be told beside the patterns: it takes and leaves out just what matches one,
 * and the rows of a partitioned table are in its partitions. (From version 16 on it has `--table-and-children`.)
 */
export async function withDescendants(selection: Selection, session: Session): Promise<Selection> {
  const { tables, excludeTables, excludeSchemas } = selection
  return {
    ...selection,
    tables: [...tables, ...(await descendantsOf(tables, excludeSchemas, session))],
    excludeTables: [...excludeTables, ...(await descendantsOf(excludeTables, [], session))],
  }
}

/** Patterns of the partitions of tables, and of the tables that inherit from them, at any depth. */
async function descendantsOf(
  tables: readonly string[],
  excludeSchemas: readonly string[],
  session: Session,
): Promise<readonly string[]> {
  if (tables.length === 0) return []
  const values: unknown[] = []
  const named = anyTable(tables, values, await defaultSearchPath(session))
  const rows = await session.query<DumpedTable & Record<string, unknown>>(
    `${namesOfTables} and c.relkind in ('r', 'p', 'f')
        and ${inFamily(named)} and not (${named}) and not (${anySchema(excludeSchemas, values)})
      order by 1, 2`,
    values,
  )
  return rows.map(({ schema, name }) => quoteQualified(schema, name))
}

/** Relations that users have made: `c`, in the schema `n`. */
export const userTables: string = `
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
        and n.nspname !~ '^pg_(temp|toast_temp)_' and c.relpersistence <> 't'`

/** The same, by their names. */
export const namesOfTables: string = `select n.nspname::text as schema, c.relname::text as name ${userTables}`

/** Whether a table of a query fulfils a condition, or is a descendant of one that does. */
export function inFamily(condition: string): string {
  return `c.oid in (with recursive family as (
      select c.oid ${userTables} and (${condition})
      union select i.inhrelid from pg_inherits i join family f on f.oid = i.inhparent)
    select oid from family)`
}

function anyTable(patterns: readonly string[], values: unknown[], searchPath: readonly string[]): string {
  return any(patterns.map((pattern) => tableCondition(pattern, values, searchPath)))
}

export function anySchema(patterns: readonly string[], values: unknown[]): string {
  return any(patterns.map((pattern) => schemaCondition(pattern, values)))
}

function any(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'false' : conditions.map((condition) => `(${condition})`).join(' or ')
}

/** Without a schema pg_dump takes what the default search path of role and database shows. */
function tableCondition(pattern: string, values: unknown[], searchPath: readonly string[]): string {
  const { schema, name } = parsePattern(pattern)
  const bind = (value: unknown): string => `$${values.push(value)}`
  const named = `c.relname ~ ${bind(name)} collate pg_catalog."default"`
  return schema === undefined
    ? `${named} and n.nspname = any (${bind(searchPath)}::name[])`
    : `${named} and n.nspname ~ ${bind(schema)} collate pg_catalog."default"`
}

/** The session's own search path holds nothing but the system's schema, so the default is asked for and put back. */
async function defaultSearchPath(session: Session): Promise<readonly string[]> {
  const set = `select pg_catalog.set_config('search_path', `
  await session.query(`${set} reset_val, false) from pg_catalog.pg_settings where name = 'search_path'`)
  const [row] = await session.query<{ path: string[] }>(`select pg_catalog.current_schemas(false)::text[] as path`)
  await session.query(`${set} 'pg_catalog', false)`)
  return row?.path ?? []
}

/** Whether the schema `n` of a query matches a pattern; binds the pattern to `values`. */
export function schemaCondition(pattern: string, values: unknown[]): string {
  return `n.nspname ~ $${values.push(parsePattern(pattern).name)} collate pg_catalog."default"`
}

async function matchesTable(pattern: string, session: Session): Promise<boolean> {
  const values: unknown[] = []
  const condition = tableCondition(pattern, values, await defaultSearchPath(session))
  const rows = await session.query(
    `select 1 ${userTables} and c.relkind in ('r', 'S', 'v', 'm', 'f', 'p') and ${condition} limit 1`,
    values,
  )
  return rows.length > 0
}

async function matchesSchema(pattern: string, session: Session): Promise<boolean> {
  const values: unknown[] = []
  const rows = await session.query(
    `select 1 from pg_namespace n where ${schemaCondition(pattern, values)} limit 1`,
    values,
  )
  return rows.length > 0
}

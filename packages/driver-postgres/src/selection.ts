import { BackupError, type DumpRequest } from '@holdfast/core'
import type { PostgresSettings } from './options.js'
import { parsePattern } from './patterns.js'
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

/** The patterns of the request and of the driver's own options. */
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
      else if (!exists) throw new BackupError('no-match', { message, hint: patternHint })
    }
  }
  await check('table', selection.tables, false)
  await check('schema', selection.schemas, false)
  await check('table', selection.excludeTables, true)
  await check('schema', selection.excludeSchemas, true)
  return warnings
}

const patternHint =
  'Names are folded to lower case unless they stand in double quotes, and a table outside of the search path is named with its schema: sales.orders, "Sales"."Orders", sales.*.'

/**
 * The tables whose rows the dump holds: leaves of partitioned ones, no views, no foreign tables, nothing that belongs
 * to an extension.
 */
export async function dumpedTables(selection: Selection, session: Session): Promise<readonly DumpedTable[]> {
  const values: unknown[] = []
  const searchPath = await defaultSearchPath(session)
  const any = (patterns: readonly string[], condition: (pattern: string) => string): string =>
    patterns.length === 0 ? 'false' : patterns.map((pattern) => `(${condition(pattern)})`).join(' or ')
  const table = (pattern: string): string => tableCondition(pattern, values, searchPath)
  const schema = (pattern: string): string => schemaCondition(pattern, values)
  const included = [
    ...(selection.tables.length > 0 ? [any(selection.tables, table)] : []),
    ...(selection.tables.length === 0 && selection.schemas.length > 0 ? [any(selection.schemas, schema)] : []),
  ]
  const excluded = [any(selection.excludeTables, table), any(selection.excludeSchemas, schema)]
  return await session.query<{ schema: string; name: string }>(
    `select n.nspname::text as schema, c.relname::text as name ${userTables}
        and c.relkind = 'r'
        and not exists (select 1 from pg_depend e
                         where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
        ${included.map((condition) => `and (${condition})`).join(' ')}
        and not (${excluded.join(' or ')})
      order by pg_relation_size(c.oid) desc, 1, 2`,
    values,
  )
}

const userTables = `
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
        and n.nspname !~ '^pg_(temp|toast_temp)_' and c.relpersistence <> 't'`

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

import { quoteQualified } from './quoting.js'
import type { Session } from './session.js'
import type { SchemaObject } from './statement-subject.js'

/** A table, sequence or view, as the server lists it. */
export interface TableInfo {
  readonly name: string
  readonly kind: 'table' | 'sequence' | 'view'
  readonly engine: string | undefined
  readonly transactional: boolean
  readonly versioned: boolean
  /** Bytes on disk, estimated by the server. */
  readonly bytes: number
  /** The same without indexes. */
  readonly dataBytes: number
}

/** Tables and views that Holdfast keeps beside what it puts aside, see journal.ts, journal-proof.ts and marks.ts. They are never dumped, moved or counted. */
export const ownTables = {
  journal: '__holdfast_journal',
  proof: '__holdfast_proof',
  filling: '__holdfast_filling',
  scratch: '__holdfast_scratch',
} as const

const ownNames: ReadonlySet<string> = new Set(Object.values(ownTables))

/** Every table, sequence and view of a schema, by name. */
export async function tablesOf(session: Session, schema: string): Promise<readonly TableInfo[]> {
  const rows = await session.query<{
    name: string
    type: string
    engine: string | null
    transactional: string | null
    bytes: number
    data: number
  }>(
    `select t.table_name as name, t.table_type as type, t.engine as engine, e.transactions as transactional,
            coalesce(t.data_length, 0) + coalesce(t.index_length, 0) as bytes, coalesce(t.data_length, 0) as data
       from information_schema.tables t left join information_schema.engines e on e.engine = t.engine
      where binary t.table_schema = binary ? order by t.table_name`,
    [schema],
  )
  return rows
    .filter(({ name }) => !ownNames.has(name))
    .map(({ name, type, engine, transactional, bytes, data }) => ({
      name,
      kind: type.includes('VIEW') ? 'view' : type === 'SEQUENCE' ? 'sequence' : 'table',
      engine: engine ?? undefined,
      transactional: transactional === 'YES',
      versioned: type === 'SYSTEM VERSIONED',
      bytes: Number(bytes),
      dataBytes: Number(data),
    }))
}

/** Whether a table holds any row. */
export async function hasRows(session: Session, schema: string, table: string): Promise<boolean> {
  return (await session.query(`select 1 as found from ${quoteQualified(schema, table)} limit 1`)).length > 0
}

/** Drops a table, view, routine and so on. One that is not there is success. */
export async function dropObject(session: Session, schema: string, { kind, name }: SchemaObject): Promise<void> {
  await session.query(`drop ${kind} if exists ${quoteQualified(schema, name)}`)
}

/** Names of procedures, functions, packages and events of a schema. */
export async function codeOf(session: Session, schema: string): Promise<readonly CodeName[]> {
  const routines = await session.query<{ kind: string; name: string }>(
    'select routine_type as kind, routine_name as name from information_schema.routines where binary routine_schema = binary ? order by 1, 2',
    [schema],
  )
  const events = await session.query<{ name: string }>(
    'select event_name as name from information_schema.events where binary event_schema = binary ? order by 1',
    [schema],
  )
  return [
    ...routines.map(({ kind, name }) => ({ kind: kind.toLowerCase() as CodeName['kind'], name })),
    ...events.map(({ name }) => ({ kind: 'event' as const, name })),
  ]
}

/** A routine or event. */
export interface CodeName {
  readonly kind: 'procedure' | 'function' | 'package' | 'package body' | 'event'
  readonly name: string
}

import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { DumpSection, InventoryTable, ObjectName } from '@holdfast/core'
import type Database from 'better-sqlite3'
import { open, pragma, reading } from './open.ts'

/** A row of `sqlite_schema`. */
interface SchemaObject {
  readonly type: string
  readonly name: string
  readonly sql: string | null
}

export function contents(path: string): readonly ObjectName[] {
  return reading(path, (database) => objectsOf(database).map(({ type, name }) => ({ kind: type, name })))
}

/** Rows of each table, and a hash over them; the shadow tables of virtual ones stand for these. */
export function inventory(path: string, level: 'counts' | 'checksums'): readonly InventoryTable[] {
  return reading(path, (database) =>
    tablesOf(database)
      .filter((name) => !name.startsWith('sqlite_'))
      .map((name) => ({
        name,
        rows: database
          .prepare(`select count(*) from ${quote(name)}`)
          .pluck()
          .get() as number,
        ...(level === 'checksums' && { checksum: hashOf(rowsOf(database, name)) }),
      })),
  )
}

export function sections(path: string): readonly DumpSection[] {
  return reading(path, (database) => [
    ...['encoding', 'user_version', 'application_id', 'auto_vacuum'].map(
      (name): DumpSection => ({ name: `setting ${name}`, kind: 'schema', sha256: hashOf([pragma(database, name)]) }),
    ),
    ...objectsOf(database).map(
      ({ type, name, sql }): DumpSection => ({ name: `${type} ${name}`, kind: 'schema', sha256: hashOf([sql ?? '']) }),
    ),
    ...tablesOf(database).map(
      (name): DumpSection => ({
        name: sectionOf(name),
        kind: 'rows',
        sha256: hashOf(rowsOf(database, name)),
        columns: columnsOf(database, name),
      }),
    ),
  ])
}

/** Writes the rows of one section to standard output, a line each. */
export async function rows(path: string, section: string): Promise<void> {
  const database = open(path)
  try {
    const table = tablesOf(database).find((name) => section === sectionOf(name))
    for (const line of table === undefined ? [] : rowsOf(database, table)) {
      if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
    }
  } finally {
    database.close()
  }
}

export function query(path: string, statement: string): readonly Readonly<Record<string, unknown>>[] {
  return reading(path, (database) => {
    const found = database.prepare(statement).safeIntegers().all() as Record<string, unknown>[]
    return found.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])))
  })
}

/** A value as JSON has it: integers beyond 2^53 as text, blobs as hexadecimal digits. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  return Buffer.isBuffer(value) ? value.toString('hex') : value
}

function objectsOf(database: Database.Database): readonly SchemaObject[] {
  const sql = `select type, name, sql from sqlite_schema where name not like 'sqlite\\_%' escape '\\' order by type, name`
  return database.prepare(sql).all() as SchemaObject[]
}

/** Every table that holds rows itself, SQLite's own for sequences and statistics too. */
function tablesOf(database: Database.Database): readonly string[] {
  const sql = `select name from pragma_table_list
    where schema = 'main' and type in ('table', 'shadow') and name <> 'sqlite_schema' order by name`
  return database.prepare(sql).pluck().all() as string[]
}

const sectionOf = (table: string): string => `rows of ${table}`

/** Columns that are stored; generated ones follow from them, and may need functions that only an application has. */
function columnsOf(database: Database.Database, table: string): readonly string[] {
  const sql = 'select name from pragma_table_xinfo(?) where hidden = 0'
  return database.prepare(sql).pluck().all(table) as string[]
}

/** The rows of a table as text, in the order in which they are stored; different rows give different text. */
function* rowsOf(database: Database.Database, table: string): Generator<string> {
  const columns = columnsOf(database, table).map(quote)
  // Text as its bytes, which need not be Unicode; SQLite returns no more than 2,000 columns.
  const exact = columns.length <= 1_000
  const values = columns.map((name) =>
    exact ? `typeof(${name}), iif(typeof(${name}) = 'text', cast(${name} as blob), ${name})` : name,
  )
  const select = database.prepare(`select ${values.join(', ')} from ${quote(table)} not indexed`)
  for (const row of select.raw().safeIntegers().iterate() as Iterable<unknown[]>) {
    const texts: string[] = []
    for (let at = 0; at < row.length; at += exact ? 2 : 1) {
      texts.push(exact ? literal(row[at + 1], row[at] === 'text') : literal(row[at], false))
    }
    yield texts.join('\t')
  }
}

function literal(value: unknown, isText: boolean): string {
  if (typeof value === 'number') return `${Object.is(value, -0) ? '-0' : value}.`
  if (typeof value === 'string') return JSON.stringify(value)
  if (!Buffer.isBuffer(value)) return String(value)
  if (value.length > 1024 * 1024) return `${isText ? 'text' : 'blob'} of ${value.length} bytes, ${sha256(value)}`
  return isText && isUtf8(value)
    ? JSON.stringify(value.toString())
    : `${isText ? 'text' : 'blob'} ${value.toString('hex')}`
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function hashOf(lines: Iterable<string | number>): string {
  const hash = createHash('sha256')
  for (const line of lines) hash.update(`${line}\n`)
  return hash.digest('hex')
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

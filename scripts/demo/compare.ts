import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type PostgresServer, quoteName } from '../../tests/support/src/postgres-server.ts'

/** What one table holds. */
interface TableContent {
  readonly table: string
  readonly rows: number
  /** Sum of a 64-bit hash of every row: independent of their order. */
  readonly checksum: string
}

/** One table of both databases; a side is absent where the table is. */
export interface TableComparison {
  readonly table: string
  readonly source: TableContent | undefined
  readonly restored: TableContent | undefined
  readonly equal: boolean
}

/** Counts and hashes every row of every table (materialized views too) of two databases of a server. */
export async function compareTables(
  server: PostgresServer,
  source: string,
  restored: string,
): Promise<TableComparison[]> {
  const [a, b] = [await contentOf(server, source), await contentOf(server, restored)]
  const names = [...new Set([...a.keys(), ...b.keys()])].sort()
  return names.map((table) => {
    const [before, after] = [a.get(table), b.get(table)]
    const equal = before?.rows === after?.rows && before?.checksum === after?.checksum
    return { table, source: before, restored: after, equal }
  })
}

/**
 * A hash of the plain dump of a database: schema, rows, sequences, comments, rights. Equal hashes mean equal databases,
 * as far as pg_dump sees them. The rows of a table count in any order: where a server puts them is its own affair.
 */
export async function plainDumpHash(server: PostgresServer, database: string): Promise<string> {
  const dump = spawn(join(server.binDir, 'pg_dump'), ['--format=plain', '--dbname', server.url(database)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(dump, 'close')
  const hash = createHash('sha256')
  let rows: string[] | undefined
  for await (const line of createInterface({ input: dump.stdout, crlfDelay: 0 })) {
    if (rows !== undefined && line !== '\\.') {
      rows.push(line)
      continue
    }
    if (rows !== undefined) hash.update(rows.sort().join('\n'))
    rows = /^COPY .* FROM stdin;$/.test(line) ? [] : undefined
    // Newer versions put a random word here, to keep psql from running what a dump was made to hold.
    if (!/^\\(un)?restrict /.test(line)) hash.update(`${line}\n`)
  }
  const [code] = await ended
  if (code !== 0) throw new Error(`pg_dump of ${database} ended with code ${code}`)
  return hash.digest('hex')
}

async function contentOf(server: PostgresServer, database: string): Promise<Map<string, TableContent>> {
  const tables = await server.sql<{ schema: string; name: string }>(
    database,
    `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1, 2`,
  )
  const contents = new Map<string, TableContent>()
  for (const { schema, name } of tables) {
    const [row] = await server.sql<{ rows: string; checksum: string }>(
      database,
      `select count(*) as rows, coalesce(sum(hashtextextended((t.*)::text, 0)::numeric), 0)::text as checksum
       from ${quoteName(schema)}.${quoteName(name)} t`,
    )
    if (row === undefined) throw new Error(`${schema}.${name} could not be counted`)
    const table = `${schema}.${name}`
    contents.set(table, { table, rows: Number(row.rows), checksum: row.checksum })
  }
  return contents
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { DataSet, Table } from '#bench/data/data-set'
import { seededRandom } from '#bench/data/random'
import type { Postgres } from '#bench/postgres'
import type { Size } from '#bench/sizes'
import { hundredsOfMB } from '#bench/sizes'

/** Makes sure that the database of a data set in a size is there, and returns its name. */
export async function ensureDatabase(data: DataSet, size: Size, server: Postgres): Promise<string> {
  const name = `${data.name}_${size.toLowerCase()}`
  const mark = `generated, version ${data.version}`
  const found = `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '${name}'`
  if ((await server.sql('postgres', found)) === mark) return name

  process.stderr.write(`making the database ${name}\n`)
  await server.sql('postgres', `DROP DATABASE IF EXISTS ${name}`)
  await server.sql('postgres', `CREATE DATABASE ${name} TEMPLATE template0`)
  for (const table of data.tables) {
    await fill(table, Math.round(table.rowsPer100MB * hundredsOfMB[size]), name, server)
  }
  for (const statement of data.tables.flatMap((table) => table.afterwards)) await server.sql(name, statement)
  await server.sql(name, 'VACUUM (ANALYZE, FREEZE)')
  await server.sql('postgres', `COMMENT ON DATABASE ${name} IS '${mark}'; CHECKPOINT`)
  return name
}

async function fill(table: Table, rows: number, database: string, server: Postgres): Promise<void> {
  // In the transaction that makes the table COPY writes no log, at wal_level minimal.
  const steps = [`CREATE TABLE ${table.name} (${table.columns})`, `COPY ${table.name} FROM STDIN`]
  const args = ['-Xq1', '-v', 'ON_ERROR_STOP=1', '-d', server.url(database), ...steps.flatMap((step) => ['-c', step])]
  const psql = spawn(join(server.binDir, 'psql'), args, {
    env: { ...process.env, PGPASSWORD: server.password },
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  psql.stdin.on('error', () => {}) // its exit code and messages say more
  const ended = Promise.all([once(psql, 'exit'), text(psql.stderr)])
  for (const block of blocksOf(table, rows)) {
    if (!psql.stdin.write(block)) await Promise.race([once(psql.stdin, 'drain'), ended])
    if (psql.exitCode !== null) break
  }
  psql.stdin.end()
  const [[code], problems] = await ended
  if (code !== 0) throw new Error(`Filling ${table.name} of ${database} ended with code ${code}:\n${problems}`)
}

/** The rows of a table in COPY's text format, in blocks. */
export function* blocksOf(table: Table, rows: number): Generator<string> {
  const random = seededRandom(table.name.length * 7919 + rows)
  let block = ''
  for (let id = 1; id <= rows; id++) {
    block += table.row(id, random)
    if (block.length < 256 * 1024 && id < rows) continue
    yield block
    block = ''
  }
}

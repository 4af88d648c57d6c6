import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PostgresServer } from '@holdfast/test-support'

/** A folder that scripts/matrix names by the environment. */
export function folder(variable: string): string {
  const value = process.env[variable]
  if (!value) throw new Error(`${variable} is not set: these tests are run by npm run test:matrix`)
  return value
}

/** Everything about a database in one text: its plain dump, which is equal for equal databases. */
export async function plainDump(
  { host, port, user, password }: PostgresServer,
  client: string,
  database: string,
): Promise<string> {
  const env = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database }
  const args = ['--restrict-key=none', '--no-password']
  const { stdout } = await promisify(execFile)(join(client, 'pg_dump'), args, { env, maxBuffer: 1024 ** 3 })
  // A count of the server's own, which a pg_dump older than the server takes for an option of the column.
  return stdout.replace(/^ALTER (?:(?!;\n).)*? SET \(pg_attver=\d+\);\n/gms, '')
}

/** Whether a server has a database of this name. */
export async function hasDatabase(server: PostgresServer, name: string): Promise<boolean> {
  return (await server.sql('postgres', 'select 1 from pg_database where datname = $1', [name])).length > 0
}

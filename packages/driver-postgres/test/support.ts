import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type PostgresServer, quoteName } from '@holdfast/test-support'

/** Everything about a database in one text: its plain dump, which is equal for equal databases. */
export async function plainDump(
  server: PostgresServer,
  database: string,
  args: readonly string[] = [],
): Promise<string> {
  const { stdout } = await promisify(execFile)(
    join(server.binDir, 'pg_dump'),
    ['--restrict-key=none', '--no-password', ...args],
    {
      env: {
        PGHOST: server.host,
        PGPORT: String(server.port),
        PGUSER: server.user,
        PGPASSWORD: server.password,
        PGDATABASE: database,
      },
      maxBuffer: 1024 ** 3,
    },
  )
  return stdout
}

/** Names of all databases of a server. */
export async function databasesOf(server: PostgresServer): Promise<readonly string[]> {
  const rows = await server.sql<{ datname: string }>('postgres', 'select datname from pg_database order by 1')
  return rows.map(({ datname }) => datname)
}

/** Drops a database, whoever is in it. */
export async function dropDatabase(server: PostgresServer, name: string): Promise<void> {
  await server.sql('postgres', `drop database if exists ${quoteName(name)} with (force)`)
}

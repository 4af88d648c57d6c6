import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type MysqlServer, quoteMysqlName } from '@holdfast/test-support'
import { findTools } from '../src/tools.js'

/** Everything about a database in one text: its dump, which is equal for equal databases. */
export async function plainDump(server: MysqlServer, database: string): Promise<string> {
  const tools = await findTools('dump', server.binDir)
  const tool = tools.find(({ flavour }) => (flavour === 'mariadb') === server.isMariadb) ?? tools[0]
  if (!tool) throw new Error('No dump program on this machine')
  const flags = ['--single-transaction', '--routines', '--events', '--triggers', '--hex-blob', '--skip-comments']
  const more = ['no-tablespaces', 'dump-history'].filter((flag) => tool.knows(flag)).map((flag) => `--${flag}`)
  const ours = [`--ignore-table=${database}.__holdfast_scratch`] // the mark, see journal.ts
  const gtid = tool.knows('set-gtid-purged') ? ['--set-gtid-purged=OFF'] : []
  const access = ['-h', server.host, '-P', String(server.port), '-u', server.user, '--protocol=tcp']
  const { stdout } = await promisify(execFile)(
    tool.path,
    [
      '--no-defaults',
      ...access,
      ...flags,
      ...more,
      ...gtid,
      '--default-character-set=utf8mb4',
      ...ours,
      '--',
      database,
    ],
    { env: { MYSQL_PWD: server.password, PATH: process.env.PATH ?? '' }, maxBuffer: 1024 ** 3, encoding: 'latin1' },
  )
  const name = Buffer.from(database.replaceAll('`', '``')).toString('latin1')
  return stdout.replaceAll(`\`${name}\`.`, '`(the database)`.')
}

/** Names of all databases of a server. */
export async function databasesOf(server: MysqlServer): Promise<readonly string[]> {
  const rows = await server.sql<{ name: string }>(
    undefined,
    'select schema_name as name from information_schema.schemata order by 1',
  )
  return rows.map(({ name }) => name)
}

/** Drops the databases in whose names `part` stands: on a server that is not the test's own, others stand too. */
export async function dropDatabases(server: MysqlServer, part: string): Promise<void> {
  const names = (await databasesOf(server)).filter((name) => name.includes(part))
  const drops = names.map((name) => `drop database ${quoteMysqlName(name)}`)
  await server.sql(undefined, 'set foreign_key_checks = 0', ...drops)
}

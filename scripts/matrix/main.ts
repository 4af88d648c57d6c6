import { fail, type Outcome, report } from '../check/tally.ts'
import { runVitest } from '../check/vitest.ts'
import { say } from '../lib/run.mjs'
import { type NewerPrograms, newerPrograms } from './debian-tree.ts'
import { embeddedPostgres } from './embedded-postgres.ts'
import { type MysqlServer, startMariadb, startMysql } from './mysql-server.ts'

/** One row of the table. */
interface Combination {
  readonly server: string
  readonly client: string
  test(): Promise<Outcome[]>
}

if (!process.stdout.isTTY) process.env.NO_COLOR ??= '1'
// An exit runs what ends the servers; a signal alone would not.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

if (process.getuid?.() !== 0 || process.arch !== 'x64') {
  throw new Error('npm run test:matrix wants root, and Debian on x86-64: it unpacks a system of its own.')
}
/** The driver's own tests, which take a server that the environment names: one file at a time, for it is the same one. */
const ownFlavour: MysqlTests = {
  projects: ['integration'],
  filters: ['packages/driver-mysql/src/', '--no-file-parallelism'],
}
/** What programs of one flavour may do with a server of the other. */
const otherFlavour: MysqlTests = { projects: ['matrix'], filters: ['tests/matrix/mysql-other-flavour.test.ts'] }

const older = await embeddedPostgres()
const newer = await newerPrograms()
const words = process.argv.slice(2)
const chosen = combinations().filter(
  ({ server, client }) => words.length === 0 || words.some((word) => `${server}, ${client}`.includes(word)),
)
const rows: string[][] = [['server', 'client programs', 'passed', 'failed']]
const outcomes: Outcome[] = []
for (const { server, client, test } of chosen) {
  const title = `${server}, ${client}`
  say(`\n• ${title}`)
  const found = await test().catch((error: Error) => [fail('the server', error.message)])
  const named = found.map((outcome) => ({ ...outcome, failures: outcome.failures.map((one) => `${title}: ${one}`) }))
  outcomes.push(...named)
  const failed = named.reduce((sum, { failures }) => sum + failures.length, 0)
  rows.push([server, client, String(named.reduce((sum, { passed }) => sum + passed, 0)), String(failed)])
}
showTable(rows)
process.exitCode = report(outcomes) ? 0 : 1

function combinations(): Combination[] {
  const installed = '/usr/lib/postgresql/15/bin'
  const servers = new Map(
    [...older, [15, installed] as const, [18, newer.postgres] as const].toSorted(([a], [b]) => a - b),
  )
  const clients = [...servers].filter(([major]) => major === 15 || major === 18)
  const pairs = [...servers].flatMap(([major, server]) =>
    clients
      .filter(([version]) => version >= major)
      .map(([version, client]) => ({
        server: `PostgreSQL ${major}`,
        client: `PostgreSQL ${version}`,
        test: () => testPostgres(server, client),
      })),
  )
  return [...pairs, ...mysqlCombinations(newer)]
}

function mysqlCombinations({ mysql, mariadb }: NewerPrograms): Combination[] {
  const servers = { 'MySQL 9.7': () => startMysql(mysql), 'MariaDB 11.8': () => startMariadb(mariadb) }
  const clients = { 'MySQL 9.7': mysql.binDir, 'MariaDB 11.8': mariadb.binDir }
  const row = (server: keyof typeof servers, client: keyof typeof clients): Combination => ({
    server,
    client,
    test: () => testMysql(servers[server], clients[client], server === client ? ownFlavour : otherFlavour),
  })
  return [
    row('MySQL 9.7', 'MySQL 9.7'),
    row('MySQL 9.7', 'MariaDB 11.8'),
    row('MariaDB 11.8', 'MariaDB 11.8'),
    row('MariaDB 11.8', 'MySQL 9.7'),
  ]
}

async function testPostgres(server: string, client: string): Promise<Outcome[]> {
  process.env.HOLDFAST_MATRIX_SERVER = server
  process.env.HOLDFAST_MATRIX_CLIENT = client
  process.env.HOLDFAST_MATRIX_NEWEST = newer.postgres
  return await runVitest(['matrix'], { filters: ['tests/matrix/postgres.test.ts'], coverage: false })
}

interface MysqlTests {
  readonly projects: readonly string[]
  readonly filters: readonly string[]
}

async function testMysql(
  start: () => Promise<MysqlServer>,
  binDir: string,
  { projects, filters }: MysqlTests,
): Promise<Outcome[]> {
  await using server = await start()
  process.env.HOLDFAST_TEST_MYSQL_URL = server.url
  process.env.HOLDFAST_TEST_MYSQL_BINDIR = binDir
  return await runVitest(projects, { filters, coverage: false })
}

function showTable(lines: readonly (readonly string[])[]): void {
  const width = (column: number): number => Math.max(...lines.map((line) => line[column]?.length ?? 0))
  say(`\n${lines.map((line) => line.map((cell, column) => cell.padEnd(width(column))).join('  ')).join('\n')}`)
}

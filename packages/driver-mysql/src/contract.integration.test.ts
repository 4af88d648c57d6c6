import { createRunContext } from '@holdfast/core'
import { childProcesses, type DriverCaseEnv, driverContract, type TargetKind } from '@holdfast/core/testing'
import { type MysqlServer, nastyMysqlDatabase, startMariadb } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { databasesOf, dropDatabases, plainDump } from '../test/support.js'
import { mysql } from './driver.js'

let server: MysqlServer
let before: ReadonlySet<number>
let count = 0
const own = process.pid.toString(36)
const source = `source_${own}`

beforeAll(async () => {
  server = await startMariadb()
  await server.createDatabase(source)
  await server.sql(source, ...nastyMysqlDatabase(server.isMariadb))
  await server.sql(
    source,
    'create table big (id int primary key, v varchar(200))',
    `insert into big values ${Array.from({ length: 20_000 }, (_, i) => `(${i}, '${'x'.repeat(60)}${i}')`).join()}`,
  )
  before = new Set(await childProcesses())
})
afterAll(async () => {
  await dropDatabases(server, own)
  await server.stop()
})

async function makeTarget(kind: TargetKind): Promise<string> {
  const name = `tar\`get; ${own} ${++count}`
  if (kind !== 'absent') await server.createDatabase(name)
  if (kind === 'filled') {
    await server.sql(
      name,
      'create table parent (id int primary key, v varchar(20))',
      `insert into parent values (1, 'only here')`,
      'create table of_its_own (id int, parent_id int, constraint own_key foreign key (parent_id) references parent (id))',
      'create view parents as select * from parent',
      'create view child as select 1 as x',
      'create trigger parent_changed before update on parent for each row set new.v = 1',
      'create event nightly on schedule every 1 year starts "2020-01-01" do select 1',
      'create procedure shout() select 2',
    )
  }
  return name
}

const options = (): { binDir?: string } => (server.binDir ? { binDir: server.binDir } : {})

const env = (): DriverCaseEnv => ({
  source: mysql({ ...options(), url: server.url(source) }),
  wrongPassword: mysql({ ...options(), url: server.url(source, { user: server.user, password: 'wrong' }) }),
  unreachable: mysql({ ...options(), url: 'mysql://127.0.0.1:1/source' }),
  target: async (kind) => mysql({ ...options(), url: server.url(await makeTarget(kind)) }),
  fingerprint: async ({ database }) =>
    // Events stand still in a scratch; round-trip.integration.test.ts looks at their states.
    (await databasesOf(server)).includes(database)
      ? (await plainDump(server, database)).replaceAll(/(PRESERVE) (?:EN|DIS)ABLE/g, '$1')
      : 'absent',
  // Servers of the test are children too, and older than any program of the driver.
  children: async () => (await childProcesses()).filter((pid) => !before.has(pid)),
  ctx: createRunContext(),
})

describe('the driver contract', () => {
  for (const { name, run } of driverContract) it(name, () => run(env()))
})

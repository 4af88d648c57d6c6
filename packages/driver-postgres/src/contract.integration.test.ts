import { createRunContext } from '@holdfast/core'
import { childProcesses, type DriverCaseEnv, driverContract, type TargetKind } from '@holdfast/core/testing'
import { nastyDatabase, type PostgresServer, quoteName, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { databasesOf, plainDump } from '../test/support.js'
import { postgres } from './driver.js'

let server: PostgresServer
let count = 0

beforeAll(async () => {
  server = await startPostgres({ settings: { max_locks_per_transaction: 256 } })
  await server.createDatabase('source')
  await server.sql('source', nastyDatabase)
  await server.sql('source', `create table big as select i, md5(i::text) from generate_series(1, 40000) i`)
})
afterAll(() => server.stop())

async function makeTarget(kind: TargetKind): Promise<string> {
  const name = `target "${++count}" ${kind}`
  if (kind === 'empty') await server.createDatabase(name)
  if (kind === 'filled') {
    await server.sql('postgres', `create database ${quoteName(name)} template source`)
    await server.sql(name, `insert into parent (v) values ('only here'); drop table bookings; truncate big`)
  }
  return name
}

describe.each(['custom', 'plain'] as const)('%s', (format) => {
  const options = { format, binDir: '', clean: true, ifExists: true } as const
  const env = (): DriverCaseEnv => {
    const all = { ...options, binDir: server.binDir }
    const wrong = { user: server.user, password: 'wrong' }
    return {
      source: postgres({ ...all, url: server.url('source') }),
      wrongPassword: postgres({ ...all, url: server.url('source', wrong) }),
      unreachable: postgres({ ...all, url: 'postgres://127.0.0.1:1/source' }),
      target: async (kind) => postgres({ ...all, url: server.url(await makeTarget(kind)) }),
      fingerprint: async ({ database }) =>
        (await databasesOf(server)).includes(database) ? await plainDump(server, database) : 'absent',
      // Servers of the test are children too, and older than any program of the driver.
      children: async () => (await childProcesses()).filter((pid) => !before.has(pid)),
      ctx: createRunContext(),
    }
  }
  let before: ReadonlySet<number>
  beforeAll(async () => {
    before = new Set(await childProcesses())
  })

  for (const { name, run } of driverContract) it(name, () => run(env()))
})

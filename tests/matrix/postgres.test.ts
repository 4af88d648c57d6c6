import { createRunContext, type Driver } from '@holdfast/core'
import {
  childProcesses,
  type DriverCaseEnv,
  driverContract,
  memoryBackup,
  type TargetKind,
} from '@holdfast/core/testing'
import { postgres } from '@holdfast/driver-postgres'
import { type PostgresServer, quoteName, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nastyFor } from './nasty-for.js'
import { folder, hasDatabase, plainDump } from './support.js'

/** One version of the server with one version of the client programs. */
const client = folder('HOLDFAST_MATRIX_CLIENT')
const ctx = createRunContext()
let server: PostgresServer
let newest: PostgresServer
let major: number
let before: ReadonlySet<number>
let count = 0

beforeAll(async () => {
  const settings = { max_locks_per_transaction: 256 }
  server = await startPostgres({ binDir: folder('HOLDFAST_MATRIX_SERVER'), settings })
  newest = await startPostgres({ binDir: folder('HOLDFAST_MATRIX_NEWEST'), settings })
  const [row] = await server.sql<{ version: number }>(
    'postgres',
    `select current_setting('server_version_num')::int / 10000 as version`,
  )
  major = row?.version ?? 0
  for (const one of [server, newest]) {
    await one.createDatabase('source')
    await one.sql('source', nastyFor(major))
    await one.sql('source', 'create table big as select i, md5(i::text) from generate_series(1, 40000) i')
  }
  // Its own ranges name their multiranges, which older servers do not have.
  if (major < 14) await newest.sql('source', 'alter table "every type" drop column ar; drop type float_range')
  before = new Set(await childProcesses())
})
afterAll(async () => {
  await server?.stop()
  await newest?.stop()
})

const options = { binDir: client, clean: true, ifExists: true } as const

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
  const on = (url: string): Driver => postgres({ ...options, format, url })
  const env = (): DriverCaseEnv => ({
    source: on(server.url('source')),
    wrongPassword: on(server.url('source', { user: server.user, password: 'wrong' })),
    unreachable: on('postgres://127.0.0.1:1/source'),
    target: async (kind) => on(server.url(await makeTarget(kind))),
    fingerprint: async ({ database }) =>
      (await hasDatabase(server, database)) ? await plainDump(server, client, database) : 'absent',
    children: async () => (await childProcesses()).filter((pid) => !before.has(pid)),
    ctx,
  })

  for (const { name, run } of driverContract) it(name, () => run(env()))

  it('brings back the nasty database with a checked inventory', async () => {
    const backup = await memoryBackup(on(server.url('source')), { inventory: 'checksums' }, ctx)
    expect(backup.manifest.inventory?.tables.length).toBeGreaterThan(15)
    const name = await makeTarget('absent')
    await on(server.url(name)).restore(backup, { mode: 'create' }, ctx)
    expect(await plainDump(server, client, name)).toBe(await plainDump(server, client, 'source'))
    const again = await memoryBackup(on(server.url(name)), { inventory: 'checksums' }, ctx)
    expect(again.manifest.inventory).toEqual(backup.manifest.inventory)
  })
})

describe('an archive of the newest server', () => {
  it.each(['custom', 'plain'] as const)('is restored into this one: %s', async (format) => {
    const binDir = folder('HOLDFAST_MATRIX_NEWEST')
    const source = postgres({ ...options, binDir, format, url: newest.url('source') })
    const backup = await memoryBackup(source, { inventory: 'checksums' }, ctx)
    for (const kind of ['absent', 'empty', 'filled'] as const) {
      const target = postgres({ ...options, binDir, format, url: server.url(await makeTarget(kind)) })
      const mode = kind === 'filled' ? 'clean' : 'create'
      await target.restore(backup, { mode }, ctx)
      const again = await memoryBackup(target, { inventory: 'checksums' }, ctx)
      expect(again.manifest.inventory).toEqual(backup.manifest.inventory)
    }
  })
})

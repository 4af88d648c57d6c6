import { createRunContext, type Driver } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type MysqlServer, startMariadb } from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { dropDatabases, plainDump } from '../test/support.js'
import { mysql } from './driver.js'

const ctx = createRunContext()
const own = process.pid.toString(36)
const source = `abandoned_source_${own}`
const target = `abandoned_target_${own}`
let server: MysqlServer
let backup: MemoryBackup
let after: string

const driverOf = (database: string): Driver =>
  mysql({ ...(server.binDir ? { binDir: server.binDir } : {}), url: server.url(database), sslmode: 'disable' })

beforeAll(async () => {
  server = await startMariadb()
  await server.createDatabase(source)
  await server.sql(source, 'create table t (id int primary key)', 'insert into t values (1)')
  backup = await memoryBackup(driverOf(source), {}, ctx)
  after = await plainDump(server, source)
})
afterAll(async () => {
  await server.sql(undefined, `drop database ${source}`)
  await server.stop()
})

/** As a restore leaves it that is killed: nobody knows what was done in it since. */
beforeEach(async () => {
  await server.createDatabase(target)
  await server.sql(
    target,
    'create table __holdfast_filling (made int not null)',
    'insert into __holdfast_filling values (1)',
  )
})
afterEach(() => dropDatabases(server, target))

const fillByHand = (): Promise<unknown> =>
  server.sql(target, 'create table t (id int)', 'insert into t values (7)', 'create view v as select 1 as one')

it('a database whose restore was killed is not emptied by a look at it, nor by a test restore beside it', async () => {
  await fillByHand()
  const before = await plainDump(server, target)
  expect((await driverOf(target).probe(ctx)).database?.empty).toBe(false)
  expect(await driverOf(target).asides?.(ctx)).toEqual([])
  await (await driverOf(target).scratch?.({ manifest: backup.manifest, toSwap: false }, ctx))?.[Symbol.asyncDispose]()
  await expect(driverOf(target).restore(backup, { mode: 'create' }, ctx)).rejects.toMatchObject({
    code: 'target-not-empty',
    message: expect.stringContaining('interrupted'),
  })
  expect(await plainDump(server, target)).toBe(before)
})

it('a database whose restore was killed is put aside as any other by a staged one', async () => {
  await fillByHand()
  await using scratch = await driverOf(target).scratch?.({ manifest: backup.manifest, toSwap: true }, ctx)
  await scratch?.driver.restore(backup, { mode: 'create' }, ctx)
  const { oldName = '' } = (await scratch?.swap?.({ terminateConnections: false }, ctx)) ?? {}
  expect(await plainDump(server, target)).toBe(after)
  const [aside] = (await driverOf(target).asides?.(ctx)) ?? []
  expect(aside?.name).toBe(oldName)
  await aside?.takeBack?.({ terminateConnections: false }, ctx)
  expect(await server.sql(target, 'select id from t')).toEqual([{ id: 7 }])
  expect(await tablesOf(target)).toEqual(['t', 'v'])
})

it('a database whose restore was killed before it held anything is filled by the next one', async () => {
  expect((await driverOf(target).probe(ctx)).database?.empty).toBe(true)
  await driverOf(target).restore(backup, { mode: 'create' }, ctx)
  expect(await plainDump(server, target)).toBe(after)
  expect(await tablesOf(target)).toEqual(['t'])
})

async function tablesOf(database: string): Promise<readonly string[]> {
  const rows = await server.sql<{ name: string }>(
    undefined,
    `select table_name as name from information_schema.tables where table_schema = '${database}' order by 1`,
  )
  return rows.map(({ name }) => name)
}

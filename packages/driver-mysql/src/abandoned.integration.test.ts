import { beforeAll, beforeEach, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { plainDump } from '../test/support.js'

let after: string

const on = testDatabases('abandoned', ['create table t (id int primary key)', 'insert into t values (1)'])
const { ctx, source, target, driverOf } = on

beforeAll(async () => {
  after = await plainDump(on.server, source)
})

/** As a restore leaves it that is killed: nobody knows what was done in it since. */
beforeEach(async () => {
  await on.server.createDatabase(target)
  await on.server.sql(
    target,
    'create table __holdfast_filling (made int not null)',
    'insert into __holdfast_filling values (1)',
  )
})

const fillByHand = (): Promise<unknown> =>
  on.server.sql(target, 'create table t (id int)', 'insert into t values (7)', 'create view v as select 1 as one')

it('a database whose restore was killed is not emptied by a look at it, nor by a test restore beside it', async () => {
  await fillByHand()
  const before = await plainDump(on.server, target)
  expect((await driverOf(target).probe(ctx)).database?.empty).toBe(false)
  expect(await driverOf(target).asides?.(ctx)).toEqual([])
  await (await driverOf(target).scratch?.({ manifest: on.backup.manifest, toSwap: false }, ctx))?.[
    Symbol.asyncDispose
  ]()
  await expect(driverOf(target).restore(on.backup, { mode: 'create' }, ctx)).rejects.toMatchObject({
    code: 'target-not-empty',
    message: expect.stringContaining('interrupted'),
  })
  expect(await plainDump(on.server, target)).toBe(before)
})

it('a database whose restore was killed is put aside as any other by a staged one', async () => {
  await fillByHand()
  await using scratch = await driverOf(target).scratch?.({ manifest: on.backup.manifest, toSwap: true }, ctx)
  await scratch?.driver.restore(on.backup, { mode: 'create' }, ctx)
  const { oldName = '' } = (await scratch?.swap?.({ terminateConnections: false }, ctx)) ?? {}
  expect(await plainDump(on.server, target)).toBe(after)
  const [aside] = (await driverOf(target).asides?.(ctx)) ?? []
  expect(aside?.name).toBe(oldName)
  await aside?.takeBack?.({ terminateConnections: false }, ctx)
  expect(await on.server.sql(target, 'select id from t')).toEqual([{ id: 7 }])
  expect(await tablesOf(target)).toEqual(['t', 'v'])
})

it('a database whose restore was killed before it held anything is filled by the next one', async () => {
  expect((await driverOf(target).probe(ctx)).database?.empty).toBe(true)
  await driverOf(target).restore(on.backup, { mode: 'create' }, ctx)
  expect(await plainDump(on.server, target)).toBe(after)
  expect(await tablesOf(target)).toEqual(['t'])
})

async function tablesOf(database: string): Promise<readonly string[]> {
  const rows = await on.server.sql<{ name: string }>(
    undefined,
    `select table_name as name from information_schema.tables where table_schema = '${database}' order by 1`,
  )
  return rows.map(({ name }) => name)
}

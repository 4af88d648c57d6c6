import { createRunContext, type Driver } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres } from './driver.js'

const ctx = createRunContext()
let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
  await server.createDatabase('source')
  await server.sql(
    'source',
    `create table customers (id int primary key);
     create table orders (id int primary key, customer int constraint by_whom references customers, before int references orders);
     comment on constraint by_whom on orders is 'who pays';
     insert into customers values (1); insert into orders values (1, 1, null), (2, 1, 1)`,
  )
})
afterAll(() => server.stop())

const driverOf = (database: string): Driver => postgres({ url: server.url(database), binDir: server.binDir })

describe('a backup of chosen tables', () => {
  it.each([
    ['whole', 'whole', {}],
    ['by its tables', 'chosen', { tables: ['orders'] }],
  ])('restored %s comes without foreign keys to tables that it does not hold', async (_, target, request) => {
    const dumped = { tables: ['orders'] }
    const sectionsOf = async ({ parts: [part], open }: MemoryBackup) =>
      driverOf(target).sections?.(part!, open(part!.name, ctx), ctx, {})
    const backup = await memoryBackup(driverOf('source'), dumped, ctx)
    const { warnings } = await driverOf(target).restore(backup, { mode: 'create', ...request }, ctx)
    expect(warnings.filter((warning) => warning.includes('left out'))).toEqual([
      expect.stringMatching(/^FK CONSTRAINT orders by_whom was left out: it needs public\.customers,/),
    ])
    const keys = await server.sql(target, `select conname from pg_constraint where contype = 'f'`)
    expect(keys).toEqual([{ conname: 'orders_before_fkey' }])
    expect(await sectionsOf(await memoryBackup(driverOf(target), dumped, ctx))).toEqual(await sectionsOf(backup))
  })
})

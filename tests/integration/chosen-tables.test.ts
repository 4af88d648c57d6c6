import { createHoldfast, createRunContext, type Driver } from '@holdfast/core'
import { memoryStorage } from '@holdfast/core/testing'
import { mysql } from '@holdfast/driver-mysql'
import { postgres } from '@holdfast/driver-postgres'
import { startMariadb, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** A server whose database `shop` has a table `orders`. */
interface Source extends AsyncDisposable {
  driverOf(database: string): Driver
}

async function onPostgres(): Promise<Source> {
  const server = await startPostgres()
  await server.createDatabase('shop')
  await server.sql('shop', 'create table orders (id int); create view brief as select 1 as one')
  const driverOf = (database: string): Driver => postgres({ url: server.url(database), binDir: server.binDir })
  return { driverOf, [Symbol.asyncDispose]: () => server.stop() }
}

async function onMariadb(): Promise<Source> {
  const server = await startMariadb()
  await server.createDatabase('shop')
  await server.sql('shop', 'create table orders (id int)', 'create view brief as select 1 as one')
  return { driverOf: (database) => mysql({ url: server.url(database) }), [Symbol.asyncDispose]: () => server.stop() }
}

describe.each([
  {
    engine: 'PostgreSQL',
    start: onPostgres,
    alike: ['orders', 'public.orders', 'ORDERS', 'ord*', 'brief'],
    near: 'public.orders',
  },
  { engine: 'MariaDB', start: onMariadb, alike: ['orders', 'shop.orders'], near: 'orders' },
])('a restore of chosen tables: $engine', ({ start, alike, near }) => {
  let source: Source
  beforeAll(async () => {
    source = await start()
  })
  afterAll(() => source[Symbol.asyncDispose]())

  it.each(['counts', 'none'] as const)(
    'names those that the backup does not hold (inventory: %s)',
    async (inventory) => {
      const jobs = { shop: { source: source.driverOf('shop'), storages: ['disk'], inventory } }
      const holdfast = createHoldfast({ storages: { disk: memoryStorage() }, jobs })
      const { backup } = await holdfast.backup()
      const into = source.driverOf('target')
      const problemsOf = async (...tables: readonly string[]) =>
        (await holdfast.previewRestore(backup.id, { into, tables })).problems
      expect(await problemsOf(...alike)).toEqual([])
      expect(await problemsOf('order')).toEqual([
        { message: 'The backup holds no table "order"', hint: `Near to it: ${near}.` },
      ])
      await expect(holdfast.restore(backup.id, { into, tables: ['order', 'orders'] })).rejects.toMatchObject({
        code: 'restore-refused',
        message: 'The backup holds no table "order"',
      })
      expect((await into.probe(createRunContext())).database).toBeUndefined()
    },
  )
})

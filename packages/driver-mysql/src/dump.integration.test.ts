import { readFileSync } from 'node:fs'
import { createRunContext, type Driver, type DumpRequest } from '@holdfast/core'
import { childProcesses, type MemoryBackup, memoryBackup, streamOfPart } from '@holdfast/core/testing'
import { type MysqlServer, startMariadb } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databasesOf, dropDatabases } from '../test/support.js'
import { mysql } from './driver.js'

const ctx = createRunContext()
const own = process.pid.toString(36)
const shop = `shop_${own}`
let server: MysqlServer

const driverOf = (database: string, options: object = {}): Driver =>
  mysql({ url: server.url(database), ...(server.binDir ? { binDir: server.binDir } : {}), ...options })
const sqlOf = (backup: MemoryBackup): string => backup.bytes.get('sql')?.toString() ?? ''
const dumpOf = (request: DumpRequest = {}, options: object = {}): Promise<MemoryBackup> =>
  memoryBackup(driverOf(shop, options), request, ctx)

beforeAll(async () => {
  server = await startMariadb()
  await server.createDatabase(shop)
  await server.sql(
    shop,
    'create table orders (id int primary key, v varchar(20))',
    `insert into orders values (1, 'one'), (2, 'two')`,
    'create table log_a (i int)',
    'insert into log_a values (1)',
    'create table log_b (i int)',
    'create table old_kind (i int) engine = MyISAM',
    'create view all_orders as select * from orders',
    'create trigger checked before insert on orders for each row set new.v = trim(new.v)',
    'create procedure nothing() select 1',
    'create event rarely on schedule every 1 year do select 1',
  )
})
afterAll(async () => {
  await dropDatabases(server, own)
  await server.stop()
})

describe('what a dump holds', () => {
  it('is everything by default, with a warning about tables without transactions', async () => {
    const backup = await dumpOf()
    for (const part of ['`orders`', 'VIEW `all_orders`', 'checked', '`nothing`', '`rarely`', '-- Dump completed']) {
      expect(sqlOf(backup)).toContain(part)
    }
    expect(backup.manifest.warnings).toEqual([expect.stringContaining('old_kind (MyISAM)')])
    expect(backup.manifest.options).toMatchObject({
      flavour: server.isMariadb ? 'mariadb' : 'mysql',
      database: { charset: 'utf8mb4' },
    })
    expect(backup.manifest.recover).toMatch(/^(mariadb|mysql) .*TARGET$/)
  })

  it('is not warned of when tables are locked', async () => {
    expect((await dumpOf({}, { lockTables: true })).manifest.warnings).toEqual([])
  })

  it('is what the patterns choose', async () => {
    const sql = sqlOf(await dumpOf({ tables: ['log_?', `${shop}.orders`] }))
    expect([...sql.matchAll(/CREATE TABLE `(\w+)`/g)].map(([, name]) => name).sort()).toEqual([
      'log_a',
      'log_b',
      'orders',
    ])
    expect(sql).toContain('checked')
    expect(sql).not.toMatch(/`nothing`|`rarely`/)
  })

  it('lacks what is excluded; an exclusion of nothing is a warning, a pattern for nothing an error', async () => {
    const backup = await dumpOf({ excludeTables: ['log_*', 'old_kind', 'nobody'] })
    expect([...sqlOf(backup).matchAll(/CREATE TABLE `(\w+)`/g)].map(([, name]) => name)).toEqual(['orders'])
    expect(backup.manifest.warnings).toEqual(['The exclusion "nobody" matches no table'])
    await expect(dumpOf({ tables: ['nobody'] })).rejects.toMatchObject({ code: 'no-match' })
  })

  it('is the schema alone, or the rows alone', async () => {
    expect(sqlOf(await dumpOf({ sections: 'schema' }))).not.toContain('INSERT INTO')
    const rows = sqlOf(await dumpOf({ sections: 'data' }))
    expect(rows).toContain('INSERT INTO `orders`')
    expect(rows).not.toMatch(/CREATE (TABLE|VIEW|.*TRIGGER|.*PROCEDURE)/)
  })

  it('leaves out routines, events and triggers where it is told to', async () => {
    const sql = sqlOf(await dumpOf({}, { routines: false, events: false, triggers: false }))
    expect(sql).not.toMatch(/`nothing`|`rarely`|checked/)
  })

  it('of rows alone is added to the tables of a target', async () => {
    const rows = await dumpOf({ sections: 'data', tables: ['orders'] })
    const target = `rows_${own}`
    await server.createDatabase(target)
    await server.sql(
      target,
      'create table orders (id int primary key, v varchar(20))',
      `insert into orders values (9, 'nine')`,
    )
    await driverOf(target).restore(rows, { mode: 'append' }, ctx)
    expect(await server.sql(target, 'select id from orders order by id')).toEqual([{ id: 1 }, { id: 2 }, { id: 9 }])
    await expect(driverOf(target).restore(rows, { mode: 'append' }, ctx)).rejects.toMatchObject({
      code: 'restore-failed',
    })
    expect(await server.sql(target, 'select count(*) as n from orders')).toEqual([{ n: 3 }])
  })
})

describe('the inventory', () => {
  it('is of exactly the dumped rows, while others write', async () => {
    const database = `busy_${own}`
    await server.createDatabase(database)
    await server.sql(database, 'create table a (i int auto_increment primary key)', 'create table b (i int)')
    let writing = true
    const writer = (async () => {
      while (writing) await server.sql(database, 'insert into a values ()', 'insert into b values (1)')
    })()
    try {
      for (let run = 0; run < 5; run++) {
        const backup = await memoryBackup(driverOf(database), { inventory: 'checksums' }, ctx)
        const { inventory } = backup.manifest
        expect(inventory?.exact).toBe(true)
        const inDump = (table: string): number =>
          (new RegExp(`INSERT INTO \`${table}\`[^;]*`).exec(sqlOf(backup))?.[0].match(/\(\d+\)/g) ?? []).length
        for (const { name, rows } of inventory?.tables ?? []) expect(rows).toBe(inDump(name))
      }
    } finally {
      writing = false
      await writer
    }
  })

  it('is said to be approximate without the lock, and where a table has no transactions', async () => {
    const tables = ['orders']
    expect((await dumpOf({ inventory: 'counts', tables })).manifest.inventory).toMatchObject({
      exact: true,
      tables: [{ name: 'orders', rows: 2 }],
    })
    expect((await dumpOf({ inventory: 'counts', tables }, { globalReadLock: false })).manifest.inventory?.exact).toBe(
      false,
    )
    expect((await dumpOf({ inventory: 'counts' })).manifest.inventory?.exact).toBe(false)
  })
})

describe('chosen tables of a dump', () => {
  it('take the place of those of the same name, with triggers, and nothing else changes', async () => {
    const backup = await dumpOf()
    const target = `chosen_${own}`
    await driverOf(target).restore(backup, { mode: 'create' }, ctx)
    await server.sql(
      target,
      `update orders set v = 'changed'`,
      'drop trigger checked',
      'insert into log_b values (5)',
      'create table item (order_id int, constraint to_order foreign key (order_id) references orders (id))',
      'insert into item values (1)',
    )
    await driverOf(target).restore(backup, { mode: 'clean', tables: ['orders'] }, ctx)
    expect(await server.sql(target, 'select v from orders order by id')).toEqual([{ v: 'one' }, { v: 'two' }])
    expect(await server.sql(target, 'select i from log_b')).toEqual([{ i: 5 }])
    expect(await server.sql(target, 'select * from all_orders')).toHaveLength(2)
    expect(await server.sql(target, 'show triggers')).toHaveLength(1)
    // The foreign key of a table that stays means the new table now.
    await expect(server.sql(target, 'insert into item values (3)')).rejects.toThrow('foreign key')
    await server.sql(target, `insert into orders values (3, 'three')`, 'insert into item values (3)')
    expect((await databasesOf(server)).filter((name) => name.startsWith(`${target}__`))).toEqual([])
  })
})

describe('secrets', () => {
  it('stand in no argument and no environment of a program, and in no file that stays', async () => {
    let seen = 0
    const watch = setInterval(async () => {
      for (const pid of await childProcesses()) {
        for (const file of ['cmdline', 'environ']) {
          try {
            const text = readFileSync(`/proc/${pid}/${file}`, 'utf8')
            if (/defaults-file=/.test(text)) seen++
            if (text.includes(server.password)) throw new Error(`the password stands in ${file}`)
          } catch (error) {
            if (!(error instanceof Error && 'code' in error)) throw error
          }
        }
      }
    }, 1)
    try {
      const session = await driverOf(shop).dump({}, ctx)
      for await (const part of session.parts) for await (const _ of streamOfPart(part));
      await session[Symbol.asyncDispose]()
      await driverOf(`secret_${own}`).restore(await dumpOf(), { mode: 'create' }, ctx)
    } finally {
      clearInterval(watch)
    }
    expect(seen).toBeGreaterThan(0)
  })
})

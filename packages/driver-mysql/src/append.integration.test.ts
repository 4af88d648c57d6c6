import { createRunContext, type Driver } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type MysqlServer, startMariadb } from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { databasesOf, dropDatabases, plainDump } from '../test/support.js'
import { mysql } from './driver.js'

const ctx = createRunContext()
const own = process.pid.toString(36)
const source = `append_source_${own}`
const target = `append_target_${own}`
let server: MysqlServer
let backup: MemoryBackup

const driverOf = (database: string, options: object = {}): Driver =>
  mysql({ ...(server.binDir ? { binDir: server.binDir } : {}), url: server.url(database), ...options })
const append = (from = backup, request: object = {}) =>
  driverOf(target).restore(from, { mode: 'append', ...request }, ctx)

beforeAll(async () => {
  server = await startMariadb()
  await server.createDatabase(source)
  await server.sql(
    source,
    'create table parent (id int primary key, v varchar(20), doubled int as (id * 2) stored)',
    `insert into parent (id, v) values (0, 'zero'), (1, 'one')`,
    'create table child (id int primary key, parent_id int, constraint child_to_parent foreign key (parent_id) references parent (id))',
    'insert into child values (1, 1)',
    'create table empty_one (i int)',
    'create view parents as select id from parent',
    'create event rarely on schedule every 1 year do select 1',
    'create function two() returns int deterministic return 2',
  )
  backup = await memoryBackup(driverOf(source), { inventory: 'counts' }, ctx)
})
afterEach(() => dropDatabases(server, target))
afterAll(async () => {
  await dropDatabases(server, source)
  await server.stop()
})

async function makeTarget(...statements: readonly string[]): Promise<string> {
  await server.createDatabase(target)
  await server.sql(target, ...statements)
  return await plainDump(server, target)
}

const beside = async (): Promise<readonly string[]> =>
  (await databasesOf(server)).filter((name) => name.startsWith(`${target}__`))

describe('rows that are added', () => {
  it('come into the tables that are there, and the rest is moved, with its foreign keys and running events', async () => {
    await makeTarget(
      'create table parent (id int primary key, v varchar(20), doubled int as (id * 2) stored)',
      `insert into parent (id, v) values (7, 'seven')`,
      'create table empty_one (i int) engine = MyISAM',
    )
    const report = await append()
    expect(report).toMatchObject({ created: false, warnings: [] })
    expect(await server.sql(target, 'select id, doubled from parent order by id')).toEqual([
      { id: 0, doubled: 0 },
      { id: 1, doubled: 2 },
      { id: 7, doubled: 14 },
    ])
    await server.sql(target, 'insert into child values (2, 7)')
    await expect(server.sql(target, 'insert into child values (3, 8)')).rejects.toThrow('foreign key')
    expect(
      await server.sql(
        undefined,
        `select status as status from information_schema.events where event_schema = '${target}' and event_name = 'rarely'`,
      ),
    ).toEqual([{ status: expect.stringMatching(/^ENABLED$/i) }])
    expect(await server.sql(target, 'select count(*) as n from parents')).toEqual([{ n: 3 }])
    expect(await beside()).toEqual([])
  })

  it('of a whole backup can be all that is wanted of it', async () => {
    await makeTarget(
      'create table parent (id int primary key, v varchar(20), doubled int as (id * 2) stored)',
      'create table child (id int primary key, parent_id int)',
      'create table empty_one (i int)',
    )
    await append(backup, { sections: 'data' })
    expect(await server.sql(target, 'select id from parent order by id')).toEqual([{ id: 0 }, { id: 1 }])
    expect(await server.sql(target, 'select two() as n').catch((error: Error) => error.message)).toContain('two')
  })

  it('set off the triggers of the target, and the report says so', async () => {
    await makeTarget(
      'create table parent (id int primary key, v varchar(20), doubled int as (id * 2) stored)',
      'create table empty_two (i int)',
      'create trigger shout before insert on parent for each row set new.v = upper(new.v)',
      'create trigger unheard before insert on empty_two for each row set new.i = 1',
    )
    expect((await append()).warnings).toEqual([
      'Triggers of the target ran for the rows that were added, which may differ from the backup: `shout` on `parent`',
    ])
    expect(await server.sql(target, 'select v from parent where id = 1')).toEqual([{ v: 'ONE' }])
  })
})

describe('an append that fails', () => {
  it('on a row leaves neither rows nor what was missing', async () => {
    const before = await makeTarget(
      'create table parent (id int primary key, v varchar(20), doubled int as (id * 2) stored)',
      `insert into parent (id, v) values (1, 'taken')`,
      'create table another (i int)',
    )
    await expect(append()).rejects.toMatchObject({
      code: 'restore-failed',
      message: expect.stringContaining("Duplicate entry '…' for key"), // no values of rows
    })
    expect(await plainDump(server, target)).toBe(before)
    expect(await beside()).toEqual([])
  })

  it('on what was missing leaves no rows', async () => {
    // Neither the foreign key nor the view of the backup can be made where the table lacks a column.
    const before = await makeTarget('create table parent (other int)')
    await expect(append()).rejects.toMatchObject({ code: 'restore-failed' })
    expect(await plainDump(server, target)).toBe(before)
    expect(await beside()).toEqual([])
  })

  it('is refused before anything is touched where a table has no transactions', async () => {
    const before = await makeTarget(
      'create table parent (id int primary key, v varchar(20), doubled int as (id * 2) stored) engine = MyISAM',
    )
    const refused = { code: 'restore-refused', message: expect.stringContaining('`parent` (MyISAM)') }
    await expect(append()).rejects.toMatchObject(refused)
    expect(await plainDump(server, target)).toBe(before)
    const preflight = await driverOf(target).preflight?.(backup, { mode: 'append' }, ctx)
    expect(preflight?.problems).toEqual([expect.objectContaining({ message: refused.message })])
    // Other tables alone can be restored.
    expect((await driverOf(target).preflight?.(backup, { mode: 'append', tables: ['child'] }, ctx))?.problems).toEqual(
      [],
    )
  })

  it('is refused where the target has a view of the name of a table', async () => {
    const before = await makeTarget('create view parent as select 1 as id')
    await expect(append()).rejects.toMatchObject({ code: 'restore-refused', message: expect.stringContaining('view') })
    expect(await plainDump(server, target)).toBe(before)
    expect(await beside()).toEqual([])
  })
})

describe('the preflight of an append', () => {
  it('names triggers, and tables without transactions of which the backup may hold rows', async () => {
    await makeTarget(
      'create table parent (id int primary key) engine = MyISAM',
      'create trigger counted after insert on parent for each row set @n = @n + 1',
    )
    const { inventory: _, ...manifest } = backup.manifest
    const findings = await driverOf(target).preflight?.({ ...backup, manifest }, { mode: 'append' }, ctx)
    expect(findings).toEqual({
      problems: [],
      warnings: [expect.stringContaining('`parent` (MyISAM)'), expect.stringContaining('`counted` on `parent`')],
    })
    const schema = await driverOf(target).preflight?.(backup, { mode: 'append', sections: 'schema' }, ctx)
    expect(schema).toEqual({ problems: [], warnings: [] })
  })
})

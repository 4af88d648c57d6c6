import type { RestoreReport } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import mysql2 from 'mysql2/promise'
import { describe, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { plainDump } from '../test/support.js'

const on = testDatabases(
  'append',
  [
    'create table parent (id int primary key, v varchar(20), doubled int as (id * 2) stored)',
    `insert into parent (id, v) values (0, 'zero'), (1, 'one')`,
    'create table child (id int primary key, parent_id int, constraint child_to_parent foreign key (parent_id) references parent (id))',
    'insert into child values (1, 1)',
    'create table empty_one (i int)',
    'create view parents as select id from parent',
    'create event rarely on schedule every 1 year do select 1',
    'create function two() returns int deterministic return 2',
  ],
  { inventory: 'counts' },
)
const { ctx, target, driverOf, beside } = on

async function makeTarget(...statements: readonly string[]): Promise<string> {
  await on.server.createDatabase(target)
  await on.server.sql(target, ...statements)
  return await plainDump(on.server, target)
}

const append = (from = on.backup, request: object = {}): Promise<RestoreReport> =>
  driverOf(target).restore(from, { mode: 'append', ...request }, ctx)

describe('rows that are added', () => {
  it('come into the tables that are there, and the rest is moved, with its foreign keys and running events', async () => {
    await makeTarget(
      'create table parent (id int primary key, v varchar(20), doubled int as (id * 2) stored)',
      `insert into parent (id, v) values (7, 'seven')`,
      'create table empty_one (i int) engine = MyISAM',
    )
    const report = await append()
    expect(report).toMatchObject({ created: false, warnings: [] })
    expect(await on.server.sql(target, 'select id, doubled from parent order by id')).toEqual([
      { id: 0, doubled: 0 },
      { id: 1, doubled: 2 },
      { id: 7, doubled: 14 },
    ])
    await on.server.sql(target, 'insert into child values (2, 7)')
    await expect(on.server.sql(target, 'insert into child values (3, 8)')).rejects.toThrow('foreign key')
    expect(
      await on.server.sql(
        undefined,
        `select status as status from information_schema.events where event_schema = '${target}' and event_name = 'rarely'`,
      ),
    ).toEqual([{ status: expect.stringMatching(/^ENABLED$/i) }])
    expect(await on.server.sql(target, 'select count(*) as n from parents')).toEqual([{ n: 3 }])
    expect(await beside()).toEqual([])
  })

  it('of a whole backup can be all that is wanted of it', async () => {
    await makeTarget(
      'create table parent (id int primary key, v varchar(20), doubled int as (id * 2) stored)',
      'create table child (id int primary key, parent_id int)',
      'create table empty_one (i int)',
    )
    await append(on.backup, { sections: 'data' })
    expect(await on.server.sql(target, 'select id from parent order by id')).toEqual([{ id: 0 }, { id: 1 }])
    expect(await on.server.sql(target, 'select two() as n').catch((error: Error) => error.message)).toContain('two')
  })

  it('and that somebody else holds are waited for, and can be added when he lets go', async () => {
    const before = await makeTarget('create table child (id int primary key, parent_id int)')
    await on.server.sql(undefined, 'set global innodb_lock_wait_timeout = 1')
    const user = await mysql2.createConnection(on.server.url(target).replace('mariadb:', 'mysql:'))
    await user.query('start transaction')
    await user.query('insert into child values (1, 1)')
    const inUse = { code: 'target-in-use', retryable: true, hint: expect.stringContaining('Another session holds') }
    await expect(append()).rejects.toMatchObject(inUse)
    await on.server.sql(undefined, 'set global innodb_lock_wait_timeout = default')
    await user.query('rollback')
    await user.end()
    expect(await plainDump(on.server, target)).toBe(before)
    await append()
  })

  it.each(['tinyint', 'varchar(2)'])('and do not fit a column are not made to fit: %s', async (type) => {
    const source = `${target}_wide`
    await on.server.createDatabase(source)
    await on.server.sql(
      source,
      'create table wide (i int, v varchar(20))',
      `insert into wide values (300, 'three hundred')`,
    )
    const wide = await memoryBackup(driverOf(source), {}, ctx)
    const before = await makeTarget(
      `create table wide (i ${type === 'tinyint' ? type : 'int'}, v ${type === 'tinyint' ? 'varchar(20)' : type})`,
    )
    await expect(append(wide)).rejects.toMatchObject({
      code: 'restore-failed',
      message: expect.stringContaining('Rows could not be added'),
    })
    expect(await plainDump(on.server, target)).toBe(before)
  })

  it('and hold what servers take only in some modes come as they are', async () => {
    const source = `${target}_lax`
    await on.server.createDatabase(source)
    const lax = `create table lax (id int primary key, d date, e enum('a', 'b'), n int not null)`
    const values = `(0, '0000-00-00', 'a', 0), (1, '2021-02-00', '', 1), (2, '2021-00-10', 'b', 2)`
    await on.server.sql(
      source,
      lax,
      `set session sql_mode = 'NO_AUTO_VALUE_ON_ZERO'`,
      `insert into lax values ${values}`,
    )
    const backup = await memoryBackup(driverOf(source), {}, ctx)
    await makeTarget(lax)
    await append(backup)
    const rows = (database: string): Promise<unknown> =>
      on.server.sql(database, 'select id, cast(d as char) as d, e + 0 as e, n from lax order by id')
    expect(await rows(target)).toEqual(await rows(source))
    expect(await rows(target)).toMatchObject([{ d: '0000-00-00' }, { d: '2021-02-00', e: 0 }, { d: '2021-00-10' }])
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
    expect(await on.server.sql(target, 'select v from parent where id = 1')).toEqual([{ v: 'ONE' }])
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
    expect(await plainDump(on.server, target)).toBe(before)
    expect(await beside()).toEqual([])
  })

  it('on what was missing leaves no rows', async () => {
    // Neither the foreign key nor the view of the backup can be made where the table lacks a column.
    const before = await makeTarget('create table parent (other int)')
    await expect(append()).rejects.toMatchObject({ code: 'restore-failed' })
    expect(await plainDump(on.server, target)).toBe(before)
    expect(await beside()).toEqual([])
  })

  it('is refused before anything is touched where a table has no transactions', async () => {
    const before = await makeTarget(
      'create table parent (id int primary key, v varchar(20), doubled int as (id * 2) stored) engine = MyISAM',
    )
    const refused = { code: 'restore-refused', message: expect.stringContaining('`parent` (MyISAM)') }
    await expect(append()).rejects.toMatchObject(refused)
    expect(await plainDump(on.server, target)).toBe(before)
    const preflight = await driverOf(target).preflight?.(on.backup, { mode: 'append' }, ctx)
    expect(preflight?.problems).toEqual([expect.objectContaining({ message: refused.message })])
    // Other tables alone can be restored.
    expect(
      (await driverOf(target).preflight?.(on.backup, { mode: 'append', tables: ['child'] }, ctx))?.problems,
    ).toEqual([])
  })

  it('is refused where the target has a view of the name of a table', async () => {
    const before = await makeTarget('create view parent as select 1 as id')
    await expect(append()).rejects.toMatchObject({ code: 'restore-refused', message: expect.stringContaining('view') })
    expect(await plainDump(on.server, target)).toBe(before)
    expect(await beside()).toEqual([])
  })
})

describe('the preflight of an append', () => {
  it('names triggers, and tables without transactions of which the backup may hold rows', async () => {
    await makeTarget(
      'create table parent (id int primary key) engine = MyISAM',
      'create trigger counted after insert on parent for each row set @n = @n + 1',
    )
    const { inventory: _, ...manifest } = on.backup.manifest
    const findings = await driverOf(target).preflight?.({ ...on.backup, manifest }, { mode: 'append' }, ctx)
    expect(findings).toEqual({
      problems: [],
      warnings: [expect.stringContaining('`parent` (MyISAM)'), expect.stringContaining('`counted` on `parent`')],
    })
    const schema = await driverOf(target).preflight?.(on.backup, { mode: 'append', sections: 'schema' }, ctx)
    expect(schema).toEqual({ problems: [], warnings: [] })
  })
})

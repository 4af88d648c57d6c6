import { BackupError } from '@holdfast/core'
import type { MemoryBackup } from '@holdfast/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { databasesOf, plainDump } from '../test/support.js'

const on = testDatabases('meanwhile', [
  'create table a_first (id int primary key)',
  'create table b_large (id int primary key, v varchar(250))',
  `insert into b_large values ${Array.from({ length: 8_000 }, (_, id) => `(${id}, '${'x'.repeat(200)}')`).join()}`,
  'create table c_last (id int primary key)',
  'create view firsts as select id from a_first',
  'create trigger a_added before insert on a_first for each row set new.id = new.id + 1',
  'create procedure shout() select 1',
  'create event rarely on schedule every 1 year do select 1',
])
const { ctx, source, target, driverOf } = on

/** As another application makes it: one of each kind. */
const ofOthers = [
  'create table mine (i int)',
  'insert into mine values (7)',
  'create view my_view as select i from mine',
  'create trigger my_trigger before insert on mine for each row set new.i = 1',
  'create function my_function() returns int deterministic return 7',
  "create event my_event on schedule every 1 year starts '2020-01-01' do select 7",
]

/** The backup; in the midst of it, when the first table stands in the target, others come. */
function interrupted(come: () => Promise<unknown>, isDamaged: boolean): MemoryBackup {
  return {
    ...on.backup,
    async *open(name) {
      const bytes = on.backup.bytes.get(name) ?? Buffer.alloc(0)
      const middle = Math.floor(bytes.length * 0.7)
      yield bytes.subarray(0, middle)
      await vi.waitFor(async () => expect(await tables()).toContain('a_first'), 30_000)
      await come()
      if (isDamaged) throw new BackupError('corrupt', { message: 'Damage was put in for a test' })
      yield bytes.subarray(middle)
    },
  }
}

async function tables(): Promise<readonly unknown[]> {
  const sql = `select table_name as name from information_schema.tables where table_schema = '${target}'`
  return (await on.server.sql<{ name: string }>(undefined, sql)).map(({ name }) => name)
}

const others = (): Promise<unknown> => on.server.sql(target, ...ofOthers)
const restore = (from: MemoryBackup): Promise<unknown> => driverOf(target).restore(from, { mode: 'create' }, ctx)

async function dumpOfOthers(): Promise<string> {
  const database = `${target}_others`
  await on.server.createDatabase(database)
  await on.server.sql(database, ...ofOthers)
  return (await plainDump(on.server, database)).replaceAll(database, target)
}

describe('what others make in an empty database while it is restored', () => {
  it('stays where the restore fails, and nothing of the backup does', async () => {
    await on.server.createDatabase(target)
    await expect(restore(interrupted(others, true))).rejects.toMatchObject({ code: 'corrupt' })
    expect(await plainDump(on.server, target)).toBe(await dumpOfOthers())
    expect(await on.beside()).toEqual([])
  })

  it('stays where the restore succeeds', async () => {
    await on.server.createDatabase(target)
    await restore(interrupted(others, false))
    expect(await on.server.sql(target, 'select i, my_function() as f from my_view')).toEqual([{ i: 7, f: 7 }])
    expect(await on.server.sql(target, 'select count(*) as n from b_large')).toEqual([{ n: 8_000 }])
  })

  it.each([
    ['create table c_last (i int)', 'insert into c_last values (7)'],
    ['create table c_last (i int)'],
    ['create view firsts as select 7 as id'],
    ['create procedure shout() select 7'],
    ["create event rarely on schedule every 2 year starts '2020-01-01' do select 7"],
  ])('stays, though it has the name of something in the backup, which fails for that: %s', async (...statements) => {
    const same = `${target}_others`
    await on.server.createDatabase(same)
    await on.server.sql(same, ...statements)
    await on.server.createDatabase(target)
    const come = (): Promise<unknown> => on.server.sql(target, ...statements)
    const failed = { code: 'restore-failed', message: expect.stringContaining('already exists') }
    await expect(restore(interrupted(come, false))).rejects.toMatchObject(failed)
    expect(await plainDump(on.server, target)).toBe((await plainDump(on.server, same)).replaceAll(same, target))
  })
})

describe('a database that the restore has made', () => {
  it('stays where it fails, with what others have made in it, and that is said', async () => {
    await expect(restore(interrupted(others, true))).rejects.toMatchObject({ code: 'corrupt' })
    expect(await plainDump(on.server, target)).toBe(await dumpOfOthers())
    expect(on.warnings).toEqual([expect.stringMatching(/stays: others have made something/)])
  })

  it('goes where there is nothing of others', async () => {
    await expect(restore(interrupted(async () => {}, true))).rejects.toMatchObject({ code: 'corrupt' })
    expect(await databasesOf(on.server)).not.toContain(target)
    expect(on.warnings).toEqual([])
  })
})

it('an empty database whose restore is cut off by the server is empty again', async () => {
  await on.server.createDatabase(target)
  const kill = async (): Promise<void> => {
    const rows = await on.server.sql<{ Id: number; db: string | null }>(undefined, 'show processlist')
    const [client] = rows.filter(({ db }) => db === target)
    await on.server.sql(undefined, `kill ${client?.Id}`)
  }
  await expect(restore(interrupted(kill, false))).rejects.toMatchObject({ name: 'BackupError' })
  expect(await tables()).toEqual([])
  expect((await driverOf(target).probe(ctx)).database?.empty).toBe(true)
  await restore(on.backup)
  expect(await plainDump(on.server, target)).toBe(await plainDump(on.server, source))
})

import { type AsideDatabase, createRunContext } from '@holdfast/core'
import mysql2 from 'mysql2/promise'
import { describe, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { startStatementProxy } from '../test/statement-proxy.js'
import { dropDatabases, plainDump } from '../test/support.js'
import { lockName } from './names.js'

const on = testDatabases('left', [
  'create table parent (id int primary key)',
  'create table fresh (id int)',
  'insert into parent values (1), (2)',
])
const { ctx, target, driverOf, beside, staged } = on

async function makeTarget(...statements: readonly string[]): Promise<string> {
  await on.server.createDatabase(target)
  await on.server.sql(
    target,
    'create table parent (id int primary key)',
    'insert into parent values (9)',
    ...statements,
  )
  return await plainDump(on.server, target)
}

const asidesOf = async (): Promise<readonly AsideDatabase[]> => (await driverOf(target).asides?.(ctx)) ?? []
const connection = async (): Promise<mysql2.Connection> => {
  const { host, port, user, password } = on.server
  return await mysql2.createConnection({ host, port, user, password })
}

it('a database that another restore has filled while this one waited for it is not filled again', async () => {
  await on.server.createDatabase(target)
  const holder = await connection()
  const lock = lockName(target)
  const waiters = async (): Promise<readonly number[]> => {
    // MySQL's information_schema.processlist fails while any session's statement holds an emoji.
    const rows = await on.server.sql<{ Id: number; Info: string | null }>(undefined, 'show processlist')
    return rows.filter(({ Info }) => Info?.startsWith(`select get_lock('${lock}'`)).map(({ Id }) => Id)
  }
  const nextWaiter = async (isIt: (id: number) => boolean): Promise<number> => {
    for (;;) {
      const found = (await waiters()).find(isIt)
      if (found !== undefined) return found
    }
  }
  await holder.query('select get_lock(?, 0)', [lock])
  const restoring = driverOf(target).restore(on.backup, { mode: 'create' }, ctx)
  restoring.catch(() => {})
  // First it waits to put in order what was left; giving that up, it waits to fill.
  const first = await nextWaiter(() => true)
  await nextWaiter((id) => id !== first)
  await on.server.sql(target, 'create table parent (id int)', 'insert into parent values (7)')
  await holder.end()
  await expect(restoring).rejects.toMatchObject({ code: 'target-not-empty' })
  expect(await on.server.sql(target, 'select id from parent')).toEqual([{ id: 7 }])
})

it('a table whose name only begins like those of Holdfast is moved like any other', async () => {
  await makeTarget()
  await using scratch = await driverOf(target).scratch?.({ manifest: on.backup.manifest, toSwap: true }, ctx)
  await scratch?.driver.restore(on.backup, { mode: 'create' }, ctx)
  await on.server.sql(scratch?.driver.database, 'create table __holdfast_orders (i int)')
  await scratch?.swap?.({ terminateConnections: false }, ctx)
  expect(await on.server.sql(target, 'select * from __holdfast_orders')).toEqual([])
})

describe('what was replaced', () => {
  it('is not offered again where it was taken back and its empty schema stayed', async () => {
    const before = await makeTarget('create view parents as select * from parent')
    await staged()
    await using proxy = await startStatementProxy(on.server.port)
    const [aside] = (await driverOf(target, { port: proxy.port }).asides?.(ctx)) ?? []
    const [again] = await asidesOf()
    proxy.cutAt(/drop database/, 'before')
    await aside?.takeBack?.({ terminateConnections: false }, ctx)
    expect(proxy.hasCut).toBe(true)
    expect(await plainDump(on.server, target)).toBe(before)

    const left = (await asidesOf()).find(({ name }) => name === aside?.name)
    expect(left).toMatchObject({ kind: 'replaced', sizeBytes: 0 })
    expect(left?.takeBack).toBeUndefined()
    // Nor does one who had it listed before get it.
    const late = again?.takeBack?.({ terminateConnections: false }, ctx)
    await expect(late).rejects.toMatchObject({ code: 'restore-refused', message: expect.stringContaining('any more') })
    expect(await plainDump(on.server, target)).toBe(before)
    await left?.drop(ctx)
    expect((await asidesOf()).map(({ name }) => name)).not.toContain(aside?.name)
  })

  it('is not offered where a table of it is gone, or where it was empty', async () => {
    await makeTarget('create table another (i int)')
    await staged()
    const [aside] = await asidesOf()
    await on.server.sql(aside?.name, 'drop table another')
    expect((await asidesOf()).map(({ takeBack }) => takeBack)).toEqual([undefined])
    await dropDatabases(on.server, target)
    await on.server.createDatabase(target)
    await staged()
    expect((await asidesOf()).map(({ takeBack }) => takeBack)).toEqual([undefined])
  })

  it('is not dropped while another restore works on the database', async () => {
    await makeTarget()
    await staged()
    const [aside] = await asidesOf()
    const holder = await connection()
    await holder.query('select get_lock(?, 0)', [lockName(target)])
    await expect(aside?.drop(ctx)).rejects.toMatchObject({ code: 'target-in-use' })
    await holder.end()
    await aside?.drop(ctx)
    expect(await beside()).toEqual([])
  })
})

describe('a journal that no exchange has written', () => {
  const write = async (into: string, state: 'begun' | 'done', changes: object): Promise<void> => {
    const lists = ['outgoingTables', 'incomingTables', 'dropped', 'made', 'incomingTriggers', 'foreignKeys']
    const empty = Object.fromEntries([...lists, 'incomingKeys', 'defaults', 'filled'].map((name) => [name, []]))
    const plan = { database: target, incoming: `${target}__holdfast_00000001`, extent: 'all', ...empty, ...changes }
    await on.server.sql(
      into,
      `create table __holdfast_journal (id int primary key, state varchar(10), plan longblob) comment = '${target}'`,
      `insert into __holdfast_journal values (1, '${state}', '${JSON.stringify(plan)}')`,
    )
  }

  it('but was copied into another database does nothing to the one that it speaks of', async () => {
    await makeTarget('create table another (i int)')
    const [spoken, copy] = ['1', '2'].map((digit) => `${target}__before_0000000${digit}`) as [string, string]
    for (const name of [spoken, copy]) await on.server.createDatabase(name)
    await on.server.sql(spoken, 'create table precious (i int)')
    await write(copy, 'begun', { aside: spoken })
    expect(await asidesOf()).toEqual([])
    expect(await beside()).toEqual([spoken, copy])
  })

  it('but came with a dump is not offered by undo, which would run what stands in it', async () => {
    await makeTarget()
    const scratch = `${target}__holdfast_00000002`
    await on.server.createDatabase(scratch)
    await on.server.sql(scratch, `create table __holdfast_scratch (beside varchar(64)) comment = '${target}'`)
    const sql = `create database ${target}__executed`
    const dropped = [{ kind: 'view', name: 'v', sql, sqlMode: '', collation: '' }]
    await write(scratch, 'done', { aside: scratch, dropped })
    const found = await asidesOf()
    expect(found.map(({ name, kind, takeBack }) => [name, kind, takeBack])).toEqual([
      [scratch, 'unfinished', undefined],
    ])
  })
})

describe('what an exchange left that came to its end', () => {
  const journal = (database: string): string =>
    `create table __holdfast_journal (id int primary key, state varchar(10), plan longblob) comment = '${database}'`

  it('before its plan was written is gone with the next command, if it is of this database', async () => {
    await makeTarget()
    const [mine, bare, another] = ['1', '2', '3'].map((digit) => `${target}__before_0000000${digit}`)
    for (const name of [mine, bare, another]) await on.server.createDatabase(name ?? '')
    await on.server.sql(mine, journal(target))
    await on.server.sql(another, journal('of another'))
    expect(await asidesOf()).toEqual([])
    expect(await beside()).toEqual([another])
  })

  it('after the tables had moved, whose scratch is gone, is undone into one that is found again', async () => {
    await makeTarget('create table another (i int)')
    const proxy = await startStatementProxy(on.server.port)
    const scratch = await driverOf(target, { port: proxy.port }).scratch?.(
      { manifest: on.backup.manifest, toSwap: true },
      ctx,
    )
    await scratch?.driver.restore(on.backup, { mode: 'create' }, ctx)
    proxy.cutAt(/rename table/, 'after', 'closed')
    await expect(scratch?.swap?.({ terminateConnections: false }, ctx)).rejects.toMatchObject({
      message: expect.stringContaining('is not known'),
    })
    await scratch?.[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
    const name = scratch?.driver.database ?? ''
    // Somebody has dropped one of the tables that came: it cannot be finished any more.
    await on.server.sql(undefined, `drop database ${name}`, `drop table ${target}.fresh`)
    expect(await asidesOf()).toMatchObject([{ name, kind: 'unfinished' }])
    expect(await on.server.sql(target, 'select id from parent')).toEqual([{ id: 9 }])
    await (await asidesOf())[0]?.drop(ctx)
    expect(await beside()).toEqual([])
  })
})

it('views that could not be made again are warned of, and their text is kept until it is cleaned up', async () => {
  await makeTarget()
  await on.server.sql(
    target,
    'create table gone (i int)',
    'create view broken as select i from gone',
    'drop table gone',
  )
  const warnings: string[] = []
  const warned = createRunContext({ report: (event) => event.type === 'warning' && warnings.push(event.message) })
  const reader = await connection()
  const driver = driverOf(target, { lockTimeout: '1s' })
  const scratch = await driver.scratch?.({ manifest: on.backup.manifest, toSwap: true }, ctx)
  await scratch?.driver.restore(on.backup, { mode: 'create' }, ctx)
  await reader.query(`lock tables ${target}.parent read`)
  await expect(scratch?.swap?.({ terminateConnections: false }, warned)).rejects.toMatchObject({
    code: 'target-in-use',
  })
  await reader.end()
  await scratch?.[Symbol.asyncDispose]()
  expect(warnings).toEqual([expect.stringContaining('view `broken`')])
  expect(await on.server.sql(target, 'select id from parent')).toEqual([{ id: 9 }])
  const [aside] = await asidesOf()
  expect(aside).toMatchObject({ kind: 'replaced' })
  expect(aside?.takeBack).toBeUndefined()
  const [row] = await on.server.sql<{ plan: Buffer }>(aside?.name, 'select plan from __holdfast_journal')
  expect(row?.plan.toString()).toContain('broken')
  await aside?.drop(ctx)
  expect(await beside()).toEqual([])
})

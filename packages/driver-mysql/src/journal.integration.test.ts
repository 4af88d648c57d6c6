import { createHash } from 'node:crypto'
import type { AsideDatabase } from '@holdfast/core'
import mysql2 from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { startStatementProxy } from '../test/statement-proxy.js'
import { databasesOf, dropDatabases, plainDump } from '../test/support.js'

const on = testDatabases('journal', ['create table parent (id int primary key)', 'insert into parent values (1)'])
const { ctx, warnings, target, driverOf, staged } = on
const own = process.pid.toString(36)
const third = `journal_third_${own}`
const planted = `${target}__before_00000001`
const guest = { user: `guest_${own}`, password: 'a guest' }
let before: string
let untouched: string

beforeAll(async () => {
  await on.server.createDatabase(third)
  await on.server.sql(
    third,
    'create table precious (i int)',
    'insert into precious values (1)',
    'create function wipe() returns int deterministic sql security invoker begin delete from precious; return 1; end',
  )
  untouched = await plainDump(on.server, third)
  await on.server.sql(
    undefined,
    `create user ${guest.user}@'%' identified by '${guest.password}'`,
    `grant execute on ${third}.* to ${guest.user}@'%'`,
    `grant all on \`${target.replaceAll('_', '\\_')}\\_\\_before\\_%\`.* to ${guest.user}@'%'`,
  )
})
beforeEach(async () => {
  await on.server.createDatabase(target)
  await on.server.sql(target, 'create table parent (id int primary key)', 'insert into parent values (9)')
  before = await plainDump(on.server, target)
})
afterAll(async () => {
  await dropDatabases(on.server, third)
  await on.server.sql(undefined, `drop user ${guest.user}@'%'`)
})

const asidesOf = async (): Promise<readonly AsideDatabase[]> => (await driverOf(target).asides?.(ctx)) ?? []

/** As a restore leaves it that is killed when the tables have changed places. */
async function interrupted(): Promise<string> {
  await using proxy = await startStatementProxy(on.server.port)
  const scratch = await driverOf(target, { port: proxy.port }).scratch?.(
    { manifest: on.backup.manifest, toSwap: true },
    ctx,
  )
  await scratch?.driver.restore(on.backup, { mode: 'create' }, ctx)
  proxy.cutAt(/rename table/, 'after', 'closed')
  await expect(scratch?.swap?.({ terminateConnections: false }, ctx)).rejects.toThrow('is not known')
  await scratch?.[Symbol.asyncDispose]()
  const [name = ''] = (await databasesOf(on.server)).filter((each) => each.startsWith(`${target}__before_`))
  return name
}

describe('a journal that a user has planted who may make such a schema', () => {
  const sql = async (...statements: readonly string[]): Promise<void> => {
    const { host, port } = on.server
    const connection = await mysql2.createConnection({ host, port, ...guest })
    try {
      for (const statement of statements) await connection.query(statement)
    } finally {
      await connection.end()
    }
  }
  const definition = { kind: 'procedure', name: 'p', sqlMode: '', collation: '' }
  const plan = {
    ...{ database: target, incoming: third, aside: planted, extent: 'all' },
    ...{ outgoingTables: ['parent'], incomingTables: ['precious'] },
    ...{ dropped: [{ ...definition, sql: `drop database ${third}` }] },
    ...{ made: [{ ...definition, sql: `create database ${target}__executed` }] },
    ...{ incomingTriggers: [], foreignKeys: [], incomingKeys: [], defaults: [], filled: [] },
    keepUntil: '2020-01-01T00:00:00.000Z',
  }
  const text = JSON.stringify(plan)
  const digest = createHash('sha256').update(text).digest('hex')
  const table = `create table ${planted}.__holdfast_journal (id int primary key, state varchar(10), plan longblob) comment = '${target}'`
  const view = (state: string, definer = ''): string =>
    `create ${definer} view ${planted}.__holdfast_proof as select '${state} ${digest}' as proof`
  const plant = (state: string, ...more: readonly string[]): Promise<unknown> =>
    sql(
      `create database ${planted}`,
      table,
      `insert into ${planted}.__holdfast_journal values (1, '${state}', '${text}')`,
      ...more,
    )
  const expectNothingDone = async (): Promise<void> => {
    expect(await plainDump(on.server, third)).toBe(untouched)
    expect(await databasesOf(on.server)).not.toContain(`${target}__executed`)
    expect(await databasesOf(on.server)).toContain(planted)
  }

  it.each(['begun', 'done'])('without a proof is passed over by restores, and not offered: %s', async (state) => {
    await plant(state)
    await driverOf(target).restore(on.backup, { mode: 'clean' }, ctx)
    expect(await on.server.sql(target, 'select id from parent')).toEqual([{ id: 1 }])
    await staged()
    expect((await asidesOf()).map(({ name }) => name)).not.toContain(planted)
    expect(warnings).toEqual([expect.stringContaining(`nothing proves that a restore has written it`)])
    await expectNothingDone()
  })

  it('with a proof of his own refuses restores until somebody has looked', async () => {
    await plant('begun', view('begun'))
    const refused = {
      code: 'restore-refused',
      message: expect.stringMatching(`${planted}.*${guest.user}@% has written`),
    }
    await expect(driverOf(target).restore(on.backup, { mode: 'clean' }, ctx)).rejects.toMatchObject(refused)
    await expect(staged()).rejects.toMatchObject(refused)
    expect(await asidesOf()).toEqual([])
    expect(warnings).toEqual([expect.stringContaining(`If ${guest.user}@% restores with Holdfast`)])
    expect(await plainDump(on.server, target)).toBe(before)
    await expectNothingDone()
    await on.server.sql(undefined, `drop database ${planted}`)
    await staged()
    expect(await on.server.sql(target, 'select id from parent')).toEqual([{ id: 1 }])
  })

  it('cannot be proved in the name of another', async () => {
    const { user } = on.server
    await expect(plant('done', view('done', `definer = '${user}'@'%'`))).rejects.toThrow(/SUPER|SET USER|SET_ANY/)
    await sql(view('done'))
    await expect(sql(view('done', 'or replace').replace(' view', ` definer = '${user}'@'%' view`))).rejects.toThrow()
    expect(await asidesOf()).toEqual([])
    await expectNothingDone()
  })

  it('is not run where it is a view', async () => {
    await sql(
      `create database ${planted}`,
      `create sql security invoker view ${planted}.__holdfast_journal as select ${third}.wipe() as id, 'begun' as state, 'x' as plan`,
      `create sql security invoker view ${planted}.__holdfast_proof as select ${third}.wipe() as proof`,
    )
    await driverOf(target).restore(on.backup, { mode: 'clean' }, ctx)
    expect(await asidesOf()).toEqual([])
    await expectNothingDone()
  })

  it('over one of a restore is not followed, and cannot be: nor is its proof altered', async () => {
    await staged()
    const [aside] = await asidesOf()
    const name = aside?.name ?? ''
    await expect(sql(`alter view ${name}.__holdfast_proof as select 'begun ${digest}' as proof`)).rejects.toThrow(
      /SUPER|SET USER|SET_ANY|denied/,
    )
    await sql(`update ${name}.__holdfast_journal set state = 'begun'`)
    expect((await asidesOf()).map(({ takeBack }) => takeBack !== undefined)).toEqual([true])
    expect(await on.server.sql(target, 'select id from parent')).toEqual([{ id: 1 }])
    await sql(`update ${name}.__holdfast_journal set plan = '${text}'`)
    const late = aside?.takeBack?.({ terminateConnections: false }, ctx)
    await expect(late).rejects.toMatchObject({ code: 'restore-refused', message: expect.stringContaining(name) })
    expect(await asidesOf()).toEqual([])
    await expect(plainDump(on.server, third)).resolves.toBe(untouched)
  })
})

describe('a journal that is garbled', () => {
  const garble = (name: string): Promise<unknown> =>
    on.server.sql(name, `update __holdfast_journal set plan = '{"database": "${target}", "outgoing'`)

  it('of what was replaced is warned of, and hinders neither restores nor the taking back of another', async () => {
    await staged()
    const [garbled] = await asidesOf()
    await garble(garbled?.name ?? '')
    await staged()
    const asides = await asidesOf()
    expect(asides).toHaveLength(1)
    expect(warnings).toEqual([expect.stringMatching(`${garbled?.name}.*damaged.*RENAME TABLE`)])
    await asides[0]?.takeBack?.({ terminateConnections: false }, ctx)
    for (const aside of await asidesOf()) await aside.drop(ctx)
    expect(await on.server.sql(garbled?.name, 'select id from parent')).toEqual([{ id: 9 }])
  })

  it('of an exchange that was interrupted refuses restores, and changes nothing', async () => {
    const name = await interrupted()
    await garble(name)
    const held = await databasesOf(on.server)
    const now = await plainDump(on.server, target)
    const refused = { code: 'restore-refused', message: expect.stringContaining(name) }
    await expect(driverOf(target).restore(on.backup, { mode: 'append' }, ctx)).rejects.toMatchObject(refused)
    await expect(staged()).rejects.toMatchObject(refused)
    expect((await asidesOf()).map(({ kind }) => kind)).toEqual(['unfinished'])
    expect(warnings).toContainEqual(expect.stringMatching(`${name}.*damaged`))
    expect([await databasesOf(on.server), await plainDump(on.server, target)]).toEqual([held, now])
  })
})

it('a journal of another user is settled by that user alone', async () => {
  const other = { user: `other_${own}`, password: 'another' }
  await on.server.sql(
    undefined,
    `create user ${other.user}@'%' identified by '${other.password}'`,
    `grant all on *.* to ${other.user}@'%'`,
  )
  const name = await interrupted()
  const asOther = { url: on.server.url(target, other) }
  await expect(staged(asOther)).rejects.toMatchObject({
    code: 'restore-refused',
    message: expect.stringContaining(name),
  })
  await staged()
  expect(warnings).toContainEqual(expect.stringContaining('it was finished now'))
  await staged(asOther)
  await on.server.sql(undefined, `drop user ${other.user}@'%'`)
})

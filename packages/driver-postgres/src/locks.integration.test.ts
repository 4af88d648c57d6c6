import { createRunContext, type Driver, type RestoreRequest } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { plainDump } from '../test/support.js'
import { postgres } from './driver.js'
import type { PostgresOptions } from './options.js'

const ctx = createRunContext()
/** A restore looks at this and that before it takes a lock, and the machine may be busy. */
const patiently = { timeout: 20_000 }
const clean = { mode: 'clean' } as const
let server: PostgresServer
let custom: MemoryBackup
let plain: MemoryBackup
let original: string
const open: pg.Client[] = []

beforeAll(async () => {
  server = await startPostgres()
  await server.createDatabase('shop')
  await server.sql('shop', 'create table t as select 1 as x; create table u as select 1 as x')
  custom = await memoryBackup(on('shop'), {}, ctx)
  plain = await memoryBackup(on('shop', { format: 'plain', clean: true, ifExists: true }), {}, ctx)
  original = await plainDump(server, 'shop')
  await server.sql(
    'postgres',
    `create role landlord login password 'landlord'; create role tenant login password 'tenant'`,
  )
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end().catch(() => {})))
})
afterAll(() => server.stop())

function on(database: string, options: PostgresOptions = {}): Driver {
  return postgres({ url: server.url(database), binDir: server.binDir, lockTimeout: '1s', ...options })
}

type Login = NonNullable<Parameters<PostgresServer['url']>[1]>

/** A session that has read a table and does not end its transaction. */
async function idleIn(database: string, statement = 'select * from u', login?: Login): Promise<pg.Client> {
  const client = new pg.Client(login ? server.url(database, login) : server.url(database))
  client.on('error', () => {})
  open.push(client)
  await client.connect()
  await client.query(`begin; ${statement}`)
  return client
}

let count = 0
/** As the backup has it, but for one more row. */
async function target(owner = 'postgres'): Promise<string> {
  const name = `target ${++count}`
  await server.sql('postgres', `create database "${name}" template shop`)
  await server.sql(
    name,
    `insert into u values (2); alter table t owner to "${owner}"; alter table u owner to "${owner}"; grant select on u to public`,
  )
  await server.sql('postgres', `alter database "${name}" owner to "${owner}"`)
  return name
}

const ofRestores = (database: string): Promise<unknown> =>
  server.sql(
    'postgres',
    `select query from pg_stat_activity where datname = '${database}' and application_name like 'holdfast%'`,
  )

describe.each([
  ['a custom dump', () => custom],
  ['a plain dump', () => plain],
])('a restore in place from %s, while others hold locks', (_, backup) => {
  it('gives up in time, names them, changes nothing and leaves nothing behind', async () => {
    const name = await target()
    const before = await plainDump(server, name)
    const user = await idleIn(name)
    const [pid] = (await user.query('select pg_backend_pid() as pid')).rows
    await expect(on(name).restore(backup(), clean, ctx)).rejects.toMatchObject({
      code: 'target-in-use',
      message: expect.stringMatching(
        new RegExp(`waited for 1 s for a lock of process ${pid.pid} \\(.*idle in transaction`),
      ),
      hint: expect.stringContaining('--terminate'),
    })
    expect(await ofRestores(name)).toEqual([])
    await user.query('commit')
    expect(await plainDump(server, name)).toBe(before)
  })

  it('goes on when they let go', async () => {
    const name = await target()
    const user = await idleIn(name)
    const restoring = on(name, { lockTimeout: '60s' }).restore(backup(), clean, ctx)
    await expect
      .poll(() => server.sql('postgres', 'select 1 from pg_locks where not granted'), patiently)
      .toHaveLength(1)
    await user.query('commit')
    await restoring
    expect(await plainDump(server, name)).toBe(original)
  })

  it('ends them where it may, and those that come while it runs', async () => {
    const name = await target()
    const user = await idleIn(name)
    const ended = new Promise<void>((resolve) => user.on('end', () => resolve()))
    let late: Promise<pg.Client> | undefined
    const slow = {
      ...backup(),
      async *open(part: string) {
        const bytes = backup().bytes.get(part) ?? Buffer.alloc(0)
        if (++opened > 1) {
          await ended
          late ??= idleIn(name)
          await late
        }
        yield bytes
      },
    }
    let opened = 0 // first for what the dump holds
    await on(name, { lockTimeout: '60s' }).restore(slow, { ...clean, terminateConnections: true }, ctx)
    await ended
    expect(late).toBeDefined()
    expect(await plainDump(server, name)).toBe(original)
  })

  it('leaves nothing on the server when it is aborted', async () => {
    const name = await target()
    await idleIn(name)
    const controller = new AbortController()
    const restoring = on(name, { lockTimeout: '60s' }).restore(backup(), clean, createRunContext(controller))
    restoring.catch(() => {})
    await expect
      .poll(() => server.sql('postgres', 'select 1 from pg_locks where not granted'), patiently)
      .toHaveLength(1)
    controller.abort(new Error('enough'))
    await expect(restoring).rejects.toThrow('enough')
    await expect.poll(() => ofRestores(name), patiently).toEqual([])
  })
})

it('the wait is bounded even if the session that watches it is lost', async () => {
  const name = await target()
  await idleIn(name)
  const restoring = on(name, { lockTimeout: '2s' }).restore(custom, clean, ctx)
  restoring.catch(() => {})
  const watching = `from pg_stat_activity where datname = 'postgres' and application_name = 'holdfast' and query like '%pg_blocking_pids%'`
  await expect.poll(() => server.sql('postgres', `select 1 ${watching}`), patiently).toHaveLength(1)
  await server.sql('postgres', `select pg_terminate_backend(pid) ${watching} and pid <> pg_backend_pid()`)
  await expect(restoring).rejects.toMatchObject({ code: 'target-in-use' })
})

it('what is waited for before the restore begins counts as well', async () => {
  const name = await target()
  await idleIn(name, 'lock table u in access exclusive mode')
  const request = { mode: 'append', tables: ['t'] } as const
  await expect(on(name).restore(custom, request, ctx)).rejects.toMatchObject({ code: 'target-in-use' })
})

it('a prepared transaction is named', async () => {
  const other = await startPostgres({ settings: { max_prepared_transactions: 2 } })
  await other.createDatabase('shop')
  await other.sql('shop', 'create table u as select 1 as x')
  await other.sql('shop', `begin; insert into u values (2); prepare transaction 'mine'`)
  const driver = postgres({ url: other.url('shop'), binDir: other.binDir, lockTimeout: '1s' })
  await expect(driver.restore(custom, { ...clean, terminateConnections: true }, ctx)).rejects.toMatchObject({
    code: 'target-in-use',
    message: expect.stringContaining('a prepared transaction'),
    hint: expect.stringContaining('may not end it'),
  })
  await other.stop()
})

describe('a session that the role of the restore may not end', () => {
  const asLandlord = { user: 'landlord', password: 'landlord' }
  const request: RestoreRequest = { ...clean, terminateConnections: true, noOwner: true, noPrivileges: true }

  it('keeps all of them, is told before and when it comes to it', async () => {
    const name = await target('landlord')
    const own = await idleIn(name, 'select 1', asLandlord)
    await idleIn(name, 'select 1', { user: 'tenant', password: 'tenant' })
    const found = await on(name, asLandlord).preflight?.(custom, request, ctx)
    expect(found?.problems.map(({ message }) => message)).toEqual([expect.stringContaining('may not end')])
    await expect(on(name, asLandlord).restore(custom, request, ctx)).rejects.toMatchObject({
      code: 'target-in-use',
      hint: expect.stringContaining('pg_signal_backend'),
    })
    expect((await own.query('select 1 as x')).rows).toEqual([{ x: 1 }])
  })

  it('that comes while it runs is named when the time is up', async () => {
    const name = await target('landlord')
    let late: Promise<pg.Client> | undefined
    let opened = 0
    const slow = {
      ...custom,
      async *open(part: string) {
        if (++opened > 1) {
          late ??= idleIn(name, 'select * from u', { user: 'tenant', password: 'tenant' })
          await late
        }
        yield custom.bytes.get(part) ?? Buffer.alloc(0)
      },
    }
    await expect(on(name, asLandlord).restore(slow, request, ctx)).rejects.toMatchObject({
      code: 'target-in-use',
      message: expect.stringContaining('role tenant'),
      hint: expect.stringContaining('may not end it'),
    })
  })
})

it('others in the database are named in a preflight', async () => {
  const name = await target()
  const warnings = async (more = {}): Promise<readonly string[]> =>
    ((await on(name).preflight?.(custom, { ...clean, ...more }, ctx))?.warnings ?? []).filter((each) =>
      each.includes('in use'),
    )
  expect(await warnings()).toEqual([])
  await idleIn(name)
  expect(await warnings()).toEqual([expect.stringMatching(/in use by 1 session: .* up to 1 s each .*--terminate/)])
  expect(await warnings({ terminateConnections: true })).toEqual([])
})

it('a dump of more tables than the server has locks for fails as a dump, with its own advice', async () => {
  await using small = await startPostgres({ settings: { max_locks_per_transaction: 10, max_connections: 20 } })
  await small.createDatabase('many')
  await small.sql(
    'many',
    `do $$ begin for i in 1..3000 loop
       execute format('create table t_%s (i int)', i);
       if i % 300 = 0 then commit; end if;
     end loop; end $$`,
  )
  const many = postgres({ url: small.url('many'), binDir: small.binDir })
  await expect(memoryBackup(many, {}, ctx)).rejects.toMatchObject({
    code: 'dump-failed',
    hint: expect.stringContaining('fewer tables at once'),
  })
})

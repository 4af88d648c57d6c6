import { createRunContext, type Driver } from '@holdfast/core'
import { memoryBackup, restoreReplacing, restoreStaged } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databasesOf, dropDatabase } from '../test/support.js'
import { markStatement } from './aside-mark.js'
import { connectionFrom } from './connection.js'
import { readProperties } from './database-properties.js'
import { postgres } from './driver.js'
import type { PostgresOptions } from './options.js'
import { postgresOptions } from './options.js'
import { openSession, type Session } from './session.js'
import { swapDatabases } from './swap.js'

const ctx = createRunContext()
let source: PostgresServer
let other: PostgresServer

beforeAll(async () => {
  ;[source, other] = await Promise.all([startPostgres(), startPostgres()])
  await source.createDatabase('shop')
  await source.sql(
    'shop',
    `create role owner_role; create role "database owner";
     create table t (id int primary key, v text); insert into t select i, 'v' || i from generate_series(1, 100) i;
     alter table t owner to owner_role; alter database shop owner to "database owner";
     alter database shop set work_mem = '7MB'; comment on database shop is 'the shop';
     revoke connect on database shop from public; grant connect, temp on database shop to owner_role with grant option`,
  )
})
afterAll(() => Promise.all([source.stop(), other.stop()]))

const on = (server: PostgresServer, database: string, options: PostgresOptions = {}): Driver =>
  postgres({ url: server.url(database), binDir: server.binDir, ...options })

async function properties(server: PostgresServer, database: string): Promise<unknown> {
  await using session = await openSession(connectionFrom(postgresOptions.parse({ url: server.url('postgres') })), ctx)
  return await readProperties(session, database)
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}

describe('a database that lets nobody connect', () => {
  const line = 'ALTER DATABASE "clo""sed" ALLOW_CONNECTIONS true'
  const closed = 'clo"sed'

  it('is named with what opens it, and can be replaced', async () => {
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await source.createDatabase(closed)
    await source.sql('postgres', line.replace('true', 'false'))
    await expect(on(source, closed).restore(backup, { mode: 'create' }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
      hint: expect.stringContaining(line),
    })
    const found = await on(source, closed).preflight?.(backup, { mode: 'staged' }, ctx)
    expect(found).toMatchObject({ problems: [], warnings: expect.arrayContaining([expect.stringContaining(line)]) })
    await restoreReplacing(on(source, closed), backup, {}, ctx)
    expect(await source.sql(closed, 'select count(*)::int as rows from t')).toEqual([{ rows: 100 }])
  })
})

describe('what a kill in the middle leaves', () => {
  it('is neither half a swap nor a closed database', async () => {
    await source.createDatabase('held')
    await source.createDatabase('held fresh')
    const connection = connectionFrom(postgresOptions.parse({ url: source.url('postgres') }))
    await using session = await openSession(connection, ctx)
    const lost: Session = {
      ...session,
      async query(text, values) {
        const last = text.startsWith('alter database "held fresh"')
        if (last)
          await source.sql(
            'postgres',
            `select pg_terminate_backend(pid) from pg_stat_activity where query ~ 'rename' and pid <> pg_backend_pid()`,
          )
        return await session.query(text, values)
      },
    }
    const swap = { name: 'held', fresh: 'held fresh', aside: 'held aside', terminateConnections: true }
    const another = (): Promise<Session> => openSession(connection, ctx)
    await expect(swapDatabases(lost, { ...swap, another })).rejects.toBeInstanceOf(Error)
    const names = (await databasesOf(source)).filter((name) => name.startsWith('held'))
    expect(names).toEqual(['held', 'held fresh'])
    expect(await source.sql('held', 'select 1 as x')).toEqual([{ x: 1 }])
  })

  it('is a database beside this one, which is named and cleaned up', async () => {
    await source.createDatabase('named__before_0123abcd')
    await source.createDatabase('named__before_mine')
    await source.createDatabase('named__holdfast_0123abcd')
    for (const left of ['named__before_0123abcd', 'named__holdfast_0123abcd'])
      await source.sql('postgres', markStatement(left, { beside: 'named' }))
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    const { warnings } = await on(source, 'named').restore(backup, { mode: 'create' }, ctx)
    expect(warnings.filter((warning) => warning.includes('named__'))).toEqual([
      expect.stringMatching(/named__before_0123abcd was replaced on 1970-08-10.*restore cleanup/),
      expect.stringMatching(/named__holdfast_0123abcd.*restore cleanup/),
    ])
    const asides = (await on(source, 'named').asides?.(ctx)) ?? []
    expect(asides.map(({ name, kind }) => [name, kind])).toEqual(
      expect.arrayContaining([
        ['named__holdfast_0123abcd', 'unfinished'],
        ['named__before_0123abcd', 'replaced'],
      ]),
    )
    for (const aside of asides) await aside.drop(ctx)
    expect((await databasesOf(source)).filter((name) => name.startsWith('named__'))).toEqual(['named__before_mine'])
  })
})

describe('a database of somebody else', () => {
  it('is not cleaned up, whatever it is called', async () => {
    const foreign = ['kept__before_00000001', 'kept__holdfast_00000001', 'kept__holdfast_00000002']
    for (const name of foreign) await source.createDatabase(name)
    for (const name of foreign.slice(0, 2)) await source.sql(name, 'create table mine as select 1 as x')
    await source.sql('postgres', `comment on database "kept__before_00000001" is 'Left by a restore of Holdfast: me'`)
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    const { warnings } = await on(source, 'kept').restore(backup, { mode: 'create' }, ctx)
    expect(warnings.filter((warning) => warning.includes('kept__'))).toEqual([])
    const found = (await on(source, 'kept').asides?.(ctx)) ?? []
    // Empty, as a restore leaves it that is killed while the server makes its scratch.
    expect(found.map(({ name }) => name)).toEqual(['kept__holdfast_00000002'])
  })

  it('keeps what it was, where both names are cut to the same', async () => {
    const [one = '', two = ''] = ['x', 'y'].map((end) => 'l'.repeat(62) + end)
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    for (const name of [one, two]) {
      await source.createDatabase(name)
      await source.sql(name, 'create table who as select current_database()::text as me')
    }
    await restoreStaged(on(source, one), backup, {}, ctx)
    expect(await on(source, two).asides?.(ctx)).toEqual([])
    const [aside] = (await on(source, one).asides?.(ctx)) ?? []
    await aside?.takeBack?.({ terminateConnections: true }, ctx)
    expect(await source.sql(one, 'select me from who')).toEqual([{ me: one }])
  })
})

describe('preflight', () => {
  it('names everything that is missing at once, and touches nothing', async () => {
    await source.createDatabase('wants much')
    await source.sql(
      'wants much',
      'create role nobody_else; create extension hstore; create table w (x int); alter table w owner to nobody_else',
    )
    const extended = await memoryBackup(on(source, 'wants much'), {}, ctx)
    const renamed = Buffer.from(
      String(extended.bytes.get('dump')?.toString('latin1')).replaceAll('hstore', 'nstore'),
      'latin1',
    )
    const wanting = {
      ...extended,
      manifest: { ...extended.manifest, options: { ...extended.manifest.options, databaseBytes: 1e18 } },
      open: () => chunks(renamed),
    }
    await other.createDatabase('stays')
    const before = await databasesOf(other)
    const found = await on(other, 'stays').preflight?.(wanting, { mode: 'staged' }, ctx)
    expect(found?.problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/extensions .*: nstore$/),
      expect.stringMatching(/roles .*: nobody_else$/),
      expect.stringMatching(/disk has .* free/),
    ])
    expect(await databasesOf(other)).toEqual(before)
    const old = await on(other, 'stays', { binDir: '/nowhere' }).preflight?.(
      extended,
      { mode: 'create', noOwner: true },
      ctx,
    )
    expect(old?.problems).toEqual([{ message: expect.stringContaining('pg_restore'), hint: expect.anything() }])
  })

  it('names what would keep databases from changing places', async () => {
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await source.createDatabase('in use')
    const user = new pg.Client(source.url('in use'))
    await user.connect()
    const staged = { mode: 'staged' } as const
    const found = await on(source, 'in use').preflight?.(backup, staged, ctx)
    expect(found?.problems).toEqual([
      { message: expect.stringContaining('in use by 1 session'), hint: expect.anything() },
    ])
    const ending = await on(source, 'in use').preflight?.(backup, { ...staged, terminateConnections: true }, ctx)
    expect(ending?.problems).toEqual([])
    await user.end()
    const part = await on(source, 'nowhere').preflight?.(backup, { mode: 'clean' }, ctx)
    expect(part?.problems).toEqual([{ message: expect.stringContaining('no database'), hint: expect.anything() }])
  })
})

describe('undo', () => {
  it('gives what was replaced its name again, with owner, grants, settings and comment of the name', async () => {
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    const target = on(source, 'to undo')
    await target.restore(backup, { mode: 'create' }, ctx)
    await source.sql('to undo', 'drop table t; create table mine as select 1 as x')
    await restoreStaged(target, backup, {}, ctx)
    await source.sql('postgres', `alter database "to undo" set work_mem = '9MB'`)
    const now = await properties(source, 'to undo')
    const user = new pg.Client(source.url('to undo'))
    user.on('error', () => {})
    await user.connect()
    const [aside] = (await target.asides?.(ctx)) ?? []
    await expect(aside?.takeBack?.({ terminateConnections: false }, ctx)).rejects.toMatchObject({
      code: 'target-in-use',
    })
    const done = await aside?.takeBack?.({ terminateConnections: true }, ctx)
    expect(await source.sql('to undo', 'select * from mine')).toEqual([{ x: 1 }])
    expect(await properties(source, 'to undo')).toEqual(now)
    expect(await source.sql(done?.oldName ?? '', 'select count(*)::int as rows from t')).toEqual([{ rows: 100 }])
    expect((await target.asides?.(ctx))?.map(({ name }) => name)).toEqual([done?.oldName])
  })

  it('brings back what was dropped since', async () => {
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await source.createDatabase('lost')
    await source.sql('lost', 'create table mine as select 1 as x')
    await source.sql('postgres', `comment on database lost is 'once "mine"'`)
    await restoreStaged(on(source, 'lost'), backup, {}, ctx)
    await dropDatabase(source, 'lost')
    const [aside] = (await on(source, 'lost').asides?.(ctx)) ?? []
    expect(await aside?.takeBack?.({ terminateConnections: false }, ctx)).toEqual({})
    expect(await source.sql('lost', 'select * from mine')).toEqual([{ x: 1 }])
    expect(await properties(source, 'lost')).toMatchObject({ comment: 'once "mine"' })
    await expect(aside?.takeBack?.({ terminateConnections: false }, ctx)).rejects.toMatchObject({
      code: 'source-missing',
    })
  })
})

describe('a role that lacks what it takes to put things in order', () => {
  const [name, password] = ['tenant', 'tenant']
  const of = (user: string): Driver => on(source, name, { user, password })
  beforeAll(async () => {
    await source.sql(
      'postgres',
      `create role tenant login password 'tenant'; create role guest login password 'tenant'`,
    )
    await source.createDatabase(name)
    await source.sql(name, 'create table mine as select 1 as x; alter database tenant owner to tenant')
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await restoreStaged(on(source, name), backup, {}, ctx)
    await source.createDatabase('tenant__holdfast_0123abcd')
  })

  it('is told that it does not own what it would drop or take back', async () => {
    const asides = (await of('guest').asides?.(ctx)) ?? []
    expect(asides.map(({ kind }) => kind).sort()).toEqual(['replaced', 'unfinished'])
    for (const { kind, drop } of asides) {
      const owner = kind === 'replaced' ? 'tenant' : 'postgres'
      await expect(drop(ctx)).rejects.toMatchObject({
        code: 'restore-refused',
        message: expect.stringMatching(`belongs to ${owner}: only that role, or a member, may drop it$`),
        hint: 'Connect as its owner.',
      })
    }
    const replaced = asides.find(({ kind }) => kind === 'replaced')
    await expect(replaced?.takeBack?.({ terminateConnections: true }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringContaining('belongs to tenant: only that role, or a member, may rename it'),
    })
  })

  it('is told that it lacks CREATEDB, and whose session it may not end', async () => {
    const aside = (await of('tenant').asides?.(ctx))?.find(({ kind }) => kind === 'replaced')
    await expect(aside?.takeBack?.({ terminateConnections: true }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringMatching(/^The role "tenant" may not rename .* lacks CREATEDB$/),
      hint: expect.stringContaining('ALTER ROLE "tenant" CREATEDB'),
    })
    await source.sql('postgres', 'alter role tenant createdb')
    for (const database of [name, aside?.name ?? '']) {
      const superuser = new pg.Client(source.url(database))
      await superuser.connect()
      const doing = database === name ? aside?.takeBack?.({ terminateConnections: true }, ctx) : aside?.drop(ctx)
      await expect(doing).rejects.toMatchObject({
        code: 'target-in-use',
        message: `The database "${database}" is in use by a session that this role may not end`,
        hint: expect.stringContaining('pg_signal_backend'),
      })
      await superuser.end()
    }
    const { oldName } = (await aside?.takeBack?.({ terminateConnections: true }, ctx)) ?? {}
    expect(await source.sql(name, 'select x from mine')).toEqual([{ x: 1 }])
    const rest = await of('tenant').asides?.(ctx)
    await rest?.find((each) => each.name === oldName)?.drop(ctx)
    expect(await databasesOf(source)).not.toContain(oldName)
  })
})

describe('scratch', () => {
  it('can be swapped in, and the old database stays under another name', async () => {
    await source.createDatabase('staged')
    await source.sql('staged', 'create table old as select 1 as x')
    const staged = on(source, 'staged')
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await using scratch = await staged.scratch!({ manifest: backup.manifest, toSwap: true }, ctx)
    await scratch.driver.restore(backup, { mode: 'create' }, ctx)
    const { oldName = '' } = await scratch.swap!({ terminateConnections: true }, ctx)
    await scratch[Symbol.asyncDispose]()
    expect(await source.sql('staged', 'select count(*)::int as rows from t')).toEqual([{ rows: 100 }])
    expect(await source.sql(oldName, 'select * from old')).toEqual([{ x: 1 }])
    expect(oldName).toMatch(/^staged__before_[0-9a-f]{8}$/)
    await dropDatabase(source, oldName)
  })

  it('is nothing that was left behind, while its restore runs', async () => {
    await source.createDatabase('guarded')
    const { manifest } = await memoryBackup(on(source, 'shop'), {}, ctx)
    const scratch = await on(source, 'guarded').scratch!({ manifest, toSwap: true }, ctx)
    expect(await on(source, 'guarded').asides?.(ctx)).toEqual([])
    await scratch[Symbol.asyncDispose]()
    expect((await databasesOf(source)).filter((name) => name.startsWith('guarded__'))).toEqual([])
  })

  it('has a name that fits, however long that of its database is', async () => {
    const long = 'é'.repeat(31)
    await source.createDatabase(long)
    const { manifest } = await memoryBackup(on(source, 'shop'), {}, ctx)
    const scratch = await on(source, long).scratch!({ manifest, toSwap: false }, ctx)
    expect(Buffer.byteLength(scratch.driver.database)).toBeLessThanOrEqual(63)
    expect(scratch.driver.database).toMatch(/^é+__holdfast_[0-9a-f]{8}$/)
    await scratch[Symbol.asyncDispose]()
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, type Driver } from '@holdfast/core'
import { damagedBackup, memoryBackup, restoreReplacing } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databasesOf, plainDump } from '../test/support.js'
import { connectionFrom } from './connection.js'
import { readProperties } from './database-properties.js'
import { postgres } from './driver.js'
import type { PostgresOptions } from './options.js'
import { postgresOptions } from './options.js'
import { openSession } from './session.js'

const ctx = createRunContext()
let source: PostgresServer
let other: PostgresServer

beforeAll(async () => {
  ;[source, other] = await Promise.all([
    startPostgres(),
    startPostgres({ settings: { max_locks_per_transaction: 10, max_connections: 20 } }),
  ])
  await source.createDatabase('shop')
  await source.sql(
    'shop',
    `create role owner_role; create role "Gr antee"; create role "database owner" login password 'x';
     create table t (id int primary key, v text); insert into t select i, 'v' || i from generate_series(1, 100) i;
     alter table t owner to owner_role; grant select on t to "Gr antee" with grant option;
     alter database shop owner to "database owner";
     alter database shop set work_mem = '7MB'; alter database shop set search_path = public, "Odd, ""path""", '$user';
     alter role owner_role in database shop set statement_timeout = '5min';
     comment on database shop is E'it''s \\n the shop \\\\';
     revoke connect on database shop from public; grant connect, temp on database shop to "Gr antee" with grant option;
     alter database shop connection limit 33`,
  )
})
afterAll(() => Promise.all([source.stop(), other.stop()]))

const on = (server: PostgresServer, database: string, options: PostgresOptions = {}): Driver =>
  postgres({ url: server.url(database), binDir: server.binDir, ...options })

async function properties(server: PostgresServer, database: string): Promise<unknown> {
  await using session = await openSession(connectionFrom(postgresOptions.parse({ url: server.url('postgres') })), ctx)
  return await readProperties(session, database)
}

describe('what belongs to the database itself', () => {
  it('is given to a database that a restore makes', async () => {
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await on(source, 'made').restore(backup, { mode: 'create' }, ctx)
    expect(await properties(source, 'made')).toEqual(await properties(source, 'shop'))
    expect(await source.sql('made', 'show search_path')).toEqual([{ search_path: 'public, "Odd, ""path""", "$user"' }])
  })

  it('is left out with owners and grants', async () => {
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await on(source, 'bare').restore(backup, { mode: 'create', noOwner: true, noPrivileges: true }, ctx)
    const { grants, owner } = (await properties(source, 'bare')) as { grants?: unknown; owner: string }
    expect([grants, owner]).toEqual([undefined, 'postgres'])
    expect(await plainDump(source, 'bare')).not.toMatch(/owner_role|Gr antee/)
    const plain = await memoryBackup(on(source, 'shop', { format: 'plain' }), {}, ctx)
    await on(source, 'bare plain').restore(plain, { mode: 'create', noOwner: true, noPrivileges: true }, ctx)
    expect(await plainDump(source, 'bare plain')).toBe(await plainDump(source, 'bare'))
  })

  it('stays with the name when another takes its place', async () => {
    await on(source, 'to replace').restore(await memoryBackup(on(source, 'shop'), {}, ctx), { mode: 'create' }, ctx)
    await source.createDatabase('new content')
    await source.sql('new content', 'create table fresh as select 1 as x')
    const before = await properties(source, 'to replace')
    const backup = await memoryBackup(on(source, 'new content'), {}, ctx)
    await restoreReplacing(on(source, 'to replace'), backup, {}, ctx)
    expect(await properties(source, 'to replace')).toEqual(before)
    expect(await source.sql('to replace', 'select * from fresh')).toEqual([{ x: 1 }])
  })
})

it('keeps settings of applications out of the manifest', async () => {
  await source.createDatabase('with settings')
  await source.sql(
    'with settings',
    `alter database "with settings" set app.settings.jwt_secret = 'canary in a setting';
     alter database "with settings" set work_mem = '7MB'`,
  )
  const { manifest } = await memoryBackup(on(source, 'with settings'), {}, ctx)
  const text = JSON.stringify(manifest)
  expect(text).not.toContain('canary in a setting')
  expect(text).toContain('7MB')
  expect(manifest.warnings).toEqual([expect.stringContaining('app.settings.jwt_secret')])
})

describe('a target in use', () => {
  it('is not replaced, unless its connections may be ended', async () => {
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await source.createDatabase('busy')
    await source.sql('busy', 'create table old as select 1 as x')
    const user = new pg.Client(source.url('busy'))
    await user.connect()
    const ended = new Promise((resolve) => user.on('error', resolve))
    await expect(restoreReplacing(on(source, 'busy'), backup, {}, ctx)).rejects.toMatchObject({
      code: 'target-in-use',
    })
    expect((await user.query('select * from old')).rows).toEqual([{ x: 1 }])
    await restoreReplacing(on(source, 'busy'), backup, { terminateConnections: true }, ctx)
    await ended
    expect(await source.sql('busy', 'select count(*)::int as rows from t')).toEqual([{ rows: 100 }])
    expect((await databasesOf(source)).filter((name) => name.includes('__'))).toEqual([])
  })

  it('that is taken while the restore runs stays as it was', async () => {
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await source.createDatabase('taken')
    await source.sql('taken', 'create table old as select 1 as x')
    const user = new pg.Client(source.url('taken'))
    const late = {
      ...backup,
      async *open(part: string) {
        if (!('_connected' in user)) throw new Error('not a client')
        if (!(user as unknown as { _connected: boolean })._connected && opened++ > 0) await user.connect()
        yield backup.bytes.get(part) ?? Buffer.alloc(0)
      },
    }
    let opened = 0
    await expect(restoreReplacing(on(source, 'taken'), late, {}, ctx)).rejects.toMatchObject({
      code: 'target-in-use',
    })
    expect((await user.query('select * from old')).rows).toEqual([{ x: 1 }])
    await user.end()
    expect((await databasesOf(source)).filter((name) => name.includes('__'))).toEqual([])
  })
})

describe('another server', () => {
  it('lacks roles, which are named before anything is touched', async () => {
    const backup = await memoryBackup(on(source, 'shop', { globals: true }), {}, ctx)
    await expect(on(other, 'shop').restore(backup, { mode: 'create' }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringMatching(/Gr antee, database owner, owner_role$/),
    })
    expect(await databasesOf(other)).not.toContain('shop')
    const plain = await memoryBackup(on(source, 'shop', { format: 'plain' }), {}, ctx)
    await expect(on(other, 'shop').restore(plain, { mode: 'create' }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
    })
  })

  it('gets the roles with the globals, and keeps those that it has', async () => {
    const backup = await memoryBackup(on(source, 'shop', { globals: true }), {}, ctx)
    const before = await other.sql('postgres', `select rolpassword from pg_authid where rolname = 'postgres'`)
    await other.sql('postgres', `create role "Gr antee" with createdb`)
    const report = await on(other, 'shop').restore(backup, { mode: 'create', globals: true }, ctx)
    expect(report.warnings.join()).not.toContain('holds no globals')
    expect(await plainDump(other, 'shop')).toBe(await plainDump(source, 'shop'))
    expect(await other.sql('postgres', `select rolpassword from pg_authid where rolname = 'postgres'`)).toEqual(before)
    expect(await other.sql('postgres', `select rolcreatedb from pg_roles where rolname = 'Gr antee'`)).toEqual([
      { rolcreatedb: true },
    ])
    expect(await properties(other, 'shop')).toEqual(await properties(source, 'shop'))
  })

  it('lacks extensions, which are named before anything is touched', async () => {
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    const bytes = Buffer.from(backup.bytes.get('dump') ?? '')
    // An extension that no server has, in the place of one that this dump holds.
    await source.createDatabase('extended')
    await source.sql('extended', 'create extension hstore; create extension citext')
    const extended = await memoryBackup(on(source, 'extended'), {}, ctx)
    const renamed = Buffer.from(
      String(extended.bytes.get('dump')?.toString('latin1')).replaceAll('hstore', 'nstore'),
      'latin1',
    )
    const missing = { ...extended, bytes: new Map([['dump', renamed]]), open: () => chunks(renamed) }
    await expect(on(other, 'ext').restore(missing, { mode: 'create' }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringMatching(/: nstore$/),
    })
    expect(bytes.length).toBeGreaterThan(0)
  })
})

describe('two thousand tables', () => {
  let tables: string
  beforeAll(async () => {
    await source.createDatabase('many')
    await source.sql(
      'many',
      `do $$ begin for i in 1..2000 loop
         execute format('create table t_%s (id serial primary key, v text)', i);
         execute format('insert into t_%s (v) values (%L)', i, i);
         if i % 500 = 0 then commit; end if;
       end loop; end $$`,
    )
    tables = await plainDump(source, 'many')
  })

  it('come back into a new database, and into an empty one though no transaction could hold them', async () => {
    const backup = await memoryBackup(on(source, 'many'), { inventory: 'counts' }, ctx)
    expect(backup.manifest.inventory?.tables).toHaveLength(2000)
    await on(other, 'many').restore(backup, { mode: 'create' }, ctx)
    await other.createDatabase('many empty')
    await on(other, 'many empty').restore(backup, { mode: 'create' }, ctx)
    expect((await on(other, 'many empty').probe(ctx)).database?.tables).toBe(2000)
    expect(await other.sql('many empty', 'select v from t_2000')).toEqual([{ v: '2000' }])
    await on(source, 'many again').restore(backup, { mode: 'create' }, ctx)
    expect(await plainDump(source, 'many again')).toBe(tables)
  })

  it('in place are refused with advice, before anything is touched', async () => {
    const backup = await memoryBackup(on(source, 'many'), {}, ctx)
    for (const mode of ['clean', 'append'] as const) {
      await expect(on(other, 'many').restore(backup, { mode }, ctx)).rejects.toMatchObject({
        code: 'restore-refused',
        hint: expect.stringMatching(/staged.*max_locks_per_transaction/s),
      })
    }
  })

  it('come back from a plain dump too', async () => {
    const backup = await memoryBackup(on(source, 'many', { format: 'plain' }), {}, ctx)
    await other.createDatabase('many plain')
    await on(other, 'many plain').restore(backup, { mode: 'create' }, ctx)
    expect((await on(other, 'many plain').probe(ctx)).database?.tables).toBe(2000)
    await expect(
      on(other, 'many gone').restore(damagedBackup(backup, 0.9), { mode: 'create' }, ctx),
    ).rejects.toMatchObject({ code: 'corrupt' })
    expect(await databasesOf(other)).not.toContain('many gone')
  })
})

describe('a role that is no superuser', () => {
  it('does not begin to replace what belongs to another', async () => {
    await source.sql('postgres', `create role guest login createdb password 'guest'`)
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await source.createDatabase('not mine')
    const url = source.url('not mine', { user: 'guest', password: 'guest' })
    const guest = postgres({ url, binDir: source.binDir })
    const restoring = restoreReplacing(guest, backup, { noOwner: true, noPrivileges: true }, ctx)
    await expect(restoring).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringMatching(/postgres/),
    })
  })

  it('is told before anything is touched that it may not make databases', async () => {
    await source.sql('postgres', `create role reader login password 'reader'`)
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    await source.createDatabase('made by hand')
    await source.sql('postgres', 'alter database "made by hand" owner to reader')
    const problemsIn = async (database: string, mode: 'create' | 'staged' | 'clean') => {
      const url = source.url(database, { user: 'reader', password: 'reader' })
      const target = postgres({ url, binDir: source.binDir })
      const found = await target.preflight?.(backup, { mode, noOwner: true, noPrivileges: true }, ctx)
      return found?.problems.filter(({ message }) => message.includes('may not make databases'))
    }
    expect(await problemsIn('to be made', 'create')).toEqual([
      { message: expect.stringContaining('"reader"'), hint: expect.stringContaining('CREATEDB') },
    ])
    expect(await problemsIn('made by hand', 'staged')).toHaveLength(1)
    expect(await problemsIn('made by hand', 'create')).toEqual([])
    expect(await problemsIn('made by hand', 'clean')).toEqual([])
  })

  it('keeps a database whose owner it cannot set, and says so', async () => {
    await source.sql('postgres', `create role keeper login createdb password 'keeper'; create role stranger`)
    await source.createDatabase('strange')
    await source.sql(
      'strange',
      'create table t (id int); alter table t owner to keeper; alter database strange owner to stranger; alter schema public owner to keeper',
    )
    const backup = await memoryBackup(on(source, 'strange'), {}, ctx)
    const keeper = { user: 'keeper', password: 'keeper' }
    const target = postgres({ url: source.url('kept', keeper), binDir: source.binDir })
    const { warnings } = await target.restore(backup, { mode: 'create' }, ctx)
    expect(warnings).toEqual([expect.stringMatching(/belong to the role of the restore.* stranger$/)])
    expect(await properties(source, 'kept')).toMatchObject({ owner: 'keeper' })
  })

  it('restores into what it may make, and is told what it may not', async () => {
    await source.sql('postgres', `create role maker login createdb password 'maker'`)
    const maker = { user: 'maker', password: 'maker' }
    const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
    const target = postgres({ url: source.url('of maker', maker), binDir: source.binDir })
    const report = await target.restore(backup, { mode: 'create', noOwner: true, noPrivileges: true }, ctx)
    expect(report.warnings).toEqual([expect.stringMatching(/^Not carried over: alter role "owner_role"/)])
    await restoreReplacing(target, backup, { noOwner: true, noPrivileges: true }, ctx)
    expect(await source.sql('of maker', 'select count(*)::int as rows from t')).toEqual([{ rows: 100 }])
    await expect(target.restore(backup, { mode: 'clean' }, ctx)).rejects.toMatchObject({ code: 'source-denied' })
    const superuser = await on(source, 'of postgres').restore(backup, { mode: 'create' }, ctx)
    expect(superuser.warnings.join()).toMatch(/superuser/)
  })
})

describe('a hostile plain dump', () => {
  it.each(['\\! touch FILE', "\\copy t from program 'touch FILE'", '\\o |touch FILE', 'select 1 \\g |touch FILE'])(
    'runs nothing: %s',
    async (line) => {
      const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
      const file = join(directory, 'owned')
      const plain = await memoryBackup(on(source, 'shop', { format: 'plain' }), {}, ctx)
      const text = String(plain.bytes.get('sql')).replace('CREATE TABLE', `${line.replace('FILE', file)}\nCREATE TABLE`)
      const hostile = { ...plain, open: () => chunks(Buffer.from(text)) }
      await expect(on(source, 'hostile').restore(hostile, { mode: 'create' }, ctx)).rejects.toMatchObject({
        code: 'restore-refused',
      })
      expect(() => writeFileSync(file, '', { flag: 'wx' }), 'the file is not there yet').not.toThrow()
      expect(await databasesOf(source)).not.toContain('hostile')
      rmSync(directory, { recursive: true })
    },
  )
})

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}

import { chownSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createRunContext, type Driver, type RestoreSource } from '@holdfast/core'
import { type MemoryBackup, memoryBackup, restoreStaged } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { databasesOf } from '../test/support.js'
import { markStatement } from './aside-mark.js'
import { postgres } from './driver.js'
import type { PostgresOptions } from './options.js'

const ctx = createRunContext()
let source: PostgresServer
let backup: MemoryBackup

beforeAll(async () => {
  source = await startPostgres()
  await source.createDatabase('shop')
  await source.sql('shop', `create table t as select i as id, 'v' || i as v from generate_series(1, 100) i`)
  backup = await memoryBackup(on(source, 'shop'), {}, ctx)
})
afterAll(() => source.stop())

const on = (server: PostgresServer, database: string, options: PostgresOptions = {}): Driver =>
  postgres({ url: server.url(database), binDir: server.binDir, ...options })

describe('others in a database', () => {
  const staged = { mode: 'staged' } as const

  it.each([
    ['replicate it', 'postgres', { replication: 'database' }],
    ['are of another role, which a role without rights is told little of', 'landlord', {}],
  ])('that %s are counted before the hours of filling', async (_, user, how) => {
    const [name, password] = [`seen by ${user}`, 'landlord']
    await source.createDatabase(name)
    if (user === 'landlord') {
      await source.sql('postgres', `create role landlord login createdb password 'landlord'`)
      await source.sql('postgres', `alter database "${name}" owner to landlord`)
    }
    const target = on(source, name, user === 'landlord' ? { user, password } : {})
    const other = new pg.Client({ connectionString: source.url(name), ...how } as pg.ClientConfig)
    await other.connect()
    const found = await target.preflight?.(backup, { ...staged, noOwner: true, noPrivileges: true }, ctx)
    expect(found?.problems.map(({ message }) => message)).toEqual([expect.stringContaining('in use by 1 session')])
    expect((await target.probe(ctx)).database?.connections).toBe(1)
    await other.end()
  })
})

describe('an empty database that is filled while a restore runs into a scratch beside it', () => {
  const filled = 'create table mine as select 1 as x'

  it('is not touched', async () => {
    await source.createDatabase('soon full')
    const late = { ...backup, open: opening(backup, () => source.sql('soon full', filled)) }
    await expect(on(source, 'soon full').restore(late, { mode: 'create', jobs: 2 }, ctx)).rejects.toMatchObject({
      code: 'target-not-empty',
    })
    expect(await source.sql('soon full', 'select x from mine')).toEqual([{ x: 1 }])
    expect((await databasesOf(source)).filter((name) => name.startsWith('soon full__'))).toEqual([])
  })

  it('in the last moment is kept', async () => {
    await source.createDatabase('just full')
    const user = new pg.Client(source.url('just full'))
    await user.connect()
    const restoring = on(source, 'just full').restore(backup, { mode: 'create', jobs: 2 }, ctx)
    restoring.catch(() => {})
    await vi.waitFor(async () => {
      const waiting = `select 1 from pg_stat_activity where query = 'select pg_sleep(0.1)' and application_name = 'holdfast'`
      expect(await source.sql('postgres', waiting)).toHaveLength(1)
    }, 60_000)
    await user.query(filled)
    await user.end()
    const { warnings } = await restoring
    expect(warnings).toContainEqual(
      expect.stringMatching(/filled the database meanwhile: .* kept as just full__before_/),
    )
    const [aside] = (await on(source, 'just full').asides?.(ctx)) ?? []
    expect(await source.sql(aside?.name ?? '', 'select x from mine')).toEqual([{ x: 1 }])
    expect(await source.sql('just full', 'select count(*)::int as rows from t')).toEqual([{ rows: 100 }])
  })

  /** Opens the backup as often as is asked; the second time is for the filling. */
  function opening(backup: RestoreSource, meanwhile: () => Promise<unknown>): RestoreSource['open'] {
    let opened = 0
    return async function* (name, using) {
      if (++opened === 2) await meanwhile()
      yield* backup.open(name, using)
    }
  }
})

describe('a tablespace', () => {
  it('stays that of the name', async () => {
    const location = join(source.socketDir, 'fast disk')
    mkdirSync(location)
    const { uid, gid } = statSync(source.socketDir)
    chownSync(location, uid, gid)
    await source.sql('postgres', `create tablespace fast location '${location}'`)
    await source.sql('postgres', 'create database spacious template template0 tablespace fast')
    await source.sql(
      'spacious',
      `create table old as select 1 as x; create role squatter login createdb password 'squatter'`,
    )
    await restoreStaged(on(source, 'spacious'), backup, {}, ctx)
    const lies = `select spcname::text as name from pg_database d join pg_tablespace t on t.oid = d.dattablespace where datname = $1`
    expect(await source.sql('postgres', lies, ['spacious'])).toEqual([{ name: 'fast' }])
    // Who may make nothing there restores all the same.
    await source.sql('postgres', 'alter database spacious owner to squatter')
    const warnings: string[] = []
    const log = { ...ctx.log, warn: (message: string) => void warnings.push(message) }
    const given = { user: 'squatter', password: 'squatter' }
    const request = { noOwner: true, noPrivileges: true }
    await restoreStaged(on(source, 'spacious', given), backup, request, { ...ctx, log })
    expect(await source.sql('postgres', lies, ['spacious'])).toEqual([{ name: 'pg_default' }])
    expect(warnings).toContainEqual(expect.stringContaining('nothing in the tablespace fast'))
  })
})

describe('a subscription of the backup', () => {
  it('keeps nobody from dropping a scratch that is given up, or was left', async () => {
    await source.createDatabase('reader')
    await source.sql('reader', 'create table t as select 1 as x')
    await source.sql(
      'reader',
      `create subscription feed connection 'host=nowhere.invalid dbname=x' publication p with (connect = false)`,
    )
    const reading = await memoryBackup(on(source, 'reader'), {}, ctx)
    await source.createDatabase('also reads')
    const target = on(source, 'also reads')
    const scratch = await target.scratch!({ manifest: reading.manifest, toSwap: true }, ctx)
    await scratch.driver.restore(reading, { mode: 'create' }, ctx)
    await scratch[Symbol.asyncDispose]()
    await on(source, 'also reads__holdfast_0123abcd').restore(reading, { mode: 'create' }, ctx)
    await source.sql('postgres', markStatement('also reads__holdfast_0123abcd', { beside: 'also reads' }))
    for (const aside of (await target.asides?.(ctx)) ?? []) await aside.drop(ctx)
    expect((await databasesOf(source)).filter((name) => name.startsWith('also reads__'))).toEqual([])
  })
})

describe('undo', () => {
  it('takes nothing back that somebody else has made to look like what was replaced', async () => {
    await source.createDatabase('vault')
    await source.sql('vault', 'create table mine as select 1 as x')
    await restoreStaged(on(source, 'vault'), backup, {}, ctx)
    await source.sql('postgres', `create role mallory login createdb password 'mallory'`)
    const mallory = new pg.Client(source.url('postgres', { user: 'mallory', password: 'mallory' }))
    await mallory.connect()
    await mallory.query('create database vault__before_7fffffff')
    await mallory.query(markStatement('vault__before_7fffffff', { beside: 'vault' }))
    await mallory.end()
    const asides = (await on(source, 'vault').asides?.(ctx)) ?? []
    expect(asides.map(({ name }) => name)).toEqual([expect.stringMatching(/^vault__before_[^7]/)])
    await asides[0]?.takeBack?.({ terminateConnections: true }, ctx)
    expect(await source.sql('vault', 'select x from mine')).toEqual([{ x: 1 }])
  })
})

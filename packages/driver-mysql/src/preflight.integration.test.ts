import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, type Driver, type RestoreSource } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type MysqlServer, startMariadb } from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { databasesOf, dropDatabases, plainDump } from '../test/support.js'
import { mysql } from './driver.js'
import { mysqlPlugin } from './plugin.js'

const ctx = createRunContext()
const own = process.pid.toString(36)
const source = `before_source_${own}`
const target = `before_target_${own}`
const another = `before_target_${own}_too`
const guest = { user: `guest_${own}`, password: 'a guest' }
let server: MysqlServer
let backup: MemoryBackup
let nothing: string

const driverOf = (database: string, options: object = {}): Driver =>
  mysql({ ...(server.binDir ? { binDir: server.binDir } : {}), url: server.url(database), ...options })
const asGuest = (database: string): Driver => driverOf(database, { url: server.url(database, guest) })
const withOptions = (options: object): RestoreSource => ({
  ...backup,
  manifest: { ...backup.manifest, options: { ...backup.manifest.options, ...options } },
})

beforeAll(async () => {
  nothing = mkdtempSync(join(tmpdir(), 'holdfast-nothing-'))
  server = await startMariadb()
  await server.createDatabase(source)
  await server.sql(source, 'create table parent (id int primary key)', 'insert into parent values (1)')
  await server.sql(undefined, `create user ${guest.user}@'%' identified by '${guest.password}'`)
  backup = await memoryBackup(driverOf(source), {}, ctx)
})
afterEach(() => dropDatabases(server, target))
afterAll(async () => {
  rmSync(nothing, { recursive: true })
  await server.sql(undefined, `drop database ${source}`, `drop user ${guest.user}@'%'`)
  await server.stop()
})

describe('before a restore', () => {
  it('is told what it will not do, and what comes of the other flavour', async () => {
    const flavour = server.isMariadb ? 'mysql' : 'mariadb'
    const findings = await driverOf(target).preflight?.(withOptions({ flavour }), { mode: 'create', jobs: 4 }, ctx)
    expect(findings).toEqual({
      problems: [],
      warnings: [expect.stringContaining('what only one knows fails'), expect.stringContaining('jobs changes nothing')],
    })
    const { warnings } = await driverOf(target).restore(backup, { mode: 'create', jobs: 4 }, ctx)
    expect(warnings).toEqual([expect.stringContaining('jobs changes nothing')])
  })

  it.each(['clean', 'append'] as const)('in place is refused without a database: %s', async (mode) => {
    const findings = await driverOf(target).preflight?.(backup, { mode }, ctx)
    expect(findings?.problems).toEqual([expect.objectContaining({ message: expect.stringContaining('no database') })])
    await expect(driverOf(target).restore(backup, { mode }, ctx)).rejects.toMatchObject({ code: 'source-missing' })
  })

  it('programs that are missing are found', async () => {
    const findings = await driverOf(target, { binDir: nothing }).preflight?.(backup, { mode: 'create' }, ctx)
    expect(findings?.problems).toEqual([
      { message: expect.stringContaining('was not found'), hint: expect.stringContaining('apt-get') },
    ])
  })

  it('a foreign key of another database to a table that would go refuses it', async () => {
    await server.createDatabase(target)
    await server.createDatabase(another)
    await server.sql(target, 'create table parent (id int primary key)')
    await server.sql(
      another,
      `create table child (id int, constraint k foreign key (id) references ${target}.parent (id))`,
    )
    const before = await plainDump(server, target)
    for (const mode of ['clean', 'staged'] as const) {
      const findings = await driverOf(target).preflight?.(backup, { mode }, ctx)
      expect(findings?.problems).toMatchObject([{ hint: expect.stringContaining('Drop that foreign key') }])
    }
    const refused = { code: 'restore-refused', message: expect.stringContaining('`child`') }
    await expect(driverOf(target).restore(backup, { mode: 'clean' }, ctx)).rejects.toMatchObject(refused)
    await expect(driverOf(target).scratch?.({ manifest: backup.manifest, toSwap: true }, ctx)).rejects.toMatchObject(
      refused,
    )
    expect(await plainDump(server, target)).toBe(before)
  })

  it('code that the user may not see refuses what would have to make it again', async () => {
    await server.createDatabase(target)
    await server.sql(target, 'create procedure secret() select 1', 'create table parent (id int primary key)')
    await server.sql(
      undefined,
      `grant select, insert, create, drop, alter, execute on ${target}.* to ${guest.user}@'%'`,
      `grant all on \`${target.replaceAll('_', '\\_')}\\_\\_%\`.* to ${guest.user}@'%'`,
    )
    const findings = await asGuest(target).preflight?.(backup, { mode: 'clean' }, ctx)
    expect(findings?.problems).toEqual([
      { message: expect.stringContaining('procedure `secret`'), hint: expect.stringContaining('Grant') },
    ])
  })
})

describe('a restore that cannot be', () => {
  it('of rows alone into a new database is refused', async () => {
    const refused = { code: 'restore-refused' }
    const asked = driverOf(target).restore(backup, { mode: 'create', sections: 'data' }, ctx)
    await expect(asked).rejects.toMatchObject(refused)
    const held = driverOf(target).restore(withOptions({ sections: 'data' }), { mode: 'create' }, ctx)
    await expect(held).rejects.toMatchObject(refused)
    expect(await databasesOf(server)).not.toContain(target)
  })

  it('of a backup of another engine is refused, and leaves nothing', async () => {
    const restoring = driverOf(target).restore({ ...backup, parts: [] }, { mode: 'create' }, ctx)
    await expect(restoring).rejects.toMatchObject({ code: 'restore-refused', message: expect.stringContaining('sql') })
    expect(await databasesOf(server)).not.toContain(target)
  })

  it('where the user may make no database says who could', async () => {
    await expect(asGuest(another).restore(backup, { mode: 'create' }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
      hint: expect.stringContaining('CREATE'),
    })
  })
})

describe('the character set of a database', () => {
  it('is that of the backup', async () => {
    const collation = server.isMariadb ? 'utf8mb4_uca1400_as_cs' : 'utf8mb4_0900_as_cs'
    await server.sql(undefined, `create database ${another} character set utf8mb4 collate ${collation}`)
    await server.sql(another, 'create table t (i int)')
    const { warnings } = await driverOf(target).restore(
      await memoryBackup(driverOf(another), {}, ctx),
      { mode: 'create' },
      ctx,
    )
    expect(warnings).toEqual([])
    const [row] = await server.sql<{ collation: string }>(
      undefined,
      `select default_collation_name as collation from information_schema.schemata where schema_name = '${target}'`,
    )
    expect(row?.collation).toBe(collation)
  })

  it('that the server does not know becomes utf8mb4, with a warning', async () => {
    const strange = { charset: 'utf9', collation: 'utf9_klingon_ci' }
    const { warnings } = await driverOf(target).restore(withOptions({ database: strange }), { mode: 'create' }, ctx)
    expect(warnings).toEqual([expect.stringContaining('utf9_klingon_ci')])
  })

  it.each([undefined, 'text', { charset: 'a b', collation: 1 }])(
    'is the default where a manifest says %j',
    async (database) => {
      const { warnings } = await driverOf(target).restore(withOptions({ database }), { mode: 'create' }, ctx)
      expect(warnings).toEqual([])
    },
  )

  it('that is not known does not undo a swap that was done', async () => {
    await server.createDatabase(target)
    await server.sql(target, 'create table old_one (i int)')
    const { manifest } = withOptions({ database: { charset: 'utf9', collation: 'utf9_klingon_ci' } })
    const warnings: string[] = []
    const warned = createRunContext({ report: (event) => event.type === 'warning' && warnings.push(event.message) })
    await using scratch = await driverOf(target).scratch?.({ manifest, toSwap: true }, ctx)
    await scratch?.driver.restore({ ...backup, manifest }, { mode: 'create' }, ctx)
    const { oldName } = (await scratch?.swap?.({ terminateConnections: true }, warned)) ?? {}
    expect(await databasesOf(server)).toContain(oldName)
    expect(await server.sql(target, 'select id from parent')).toEqual([{ id: 1 }])
    expect(warnings).toEqual([expect.stringContaining('keeps its own character set')])
  })
})

describe('a connection', () => {
  it('with TLS that the server does not have, or a certificate that is not there, is refused', async () => {
    await expect(driverOf(source, { sslmode: 'verify-ca', sslca: '/nowhere/ca.pem' }).probe(ctx)).rejects.toMatchObject(
      {
        code: 'config-invalid',
        message: expect.stringContaining('/nowhere/ca.pem'),
      },
    )
    const insisting = driverOf(source, { sslmode: 'verify-identity' }).probe(ctx)
    await expect(insisting).rejects.toMatchObject({ code: 'source-unreachable', hint: expect.stringContaining('ssl') })
  })

  it('that is aborted rethrows the reason', async () => {
    const reason = new Error('enough')
    const aborted = createRunContext({ signal: AbortSignal.abort(reason) })
    await expect(driverOf(source).probe(aborted)).rejects.toBe(reason)
    const stop = new AbortController()
    const asking = driverOf(source).query?.('select sleep(60)', createRunContext({ signal: stop.signal }))
    const isAsking = async (): Promise<boolean> =>
      (
        await server.sql(
          undefined,
          "select 1 as found from information_schema.processlist where info = 'select sleep(60)'",
        )
      ).length > 0
    await vi.waitUntil(isAsking, { interval: 1, timeout: 20_000 })
    stop.abort(reason)
    await expect(asking).rejects.toBe(reason)
  })
})

describe('the programs', () => {
  it.each(['dump', 'restore'] as const)('for a %s are named, and none is started', async (use) => {
    const programs = await driverOf(use === 'dump' ? source : target).programs?.(use, ctx)
    expect(programs).toEqual([
      expect.objectContaining({
        name: expect.stringMatching(/^(mariadb|mysql)/),
        version: expect.stringMatching(/^\d/),
      }),
    ])
  })

  it('that are missing are an error', async () => {
    await expect(driverOf(source, { binDir: nothing }).programs?.('dump', ctx)).rejects.toMatchObject({
      code: 'tool-missing',
    })
  })
})

describe('a look at a database', () => {
  it('tells what the user may not read', async () => {
    await server.sql(source, 'create table secret (i int, j int)')
    await server.sql(undefined, `grant select on ${source}.parent to ${guest.user}@'%'`)
    await server.sql(undefined, `grant insert on ${source}.secret to ${guest.user}@'%'`)
    const info = await asGuest(source).probe(ctx)
    expect(info).toMatchObject({ superuser: false, database: { tables: 2, unreadable: [`${source}.secret`] } })
    await server.sql(source, 'drop table secret')
  })

  it('that is not there, says so', async () => {
    const info = await driverOf(target).probe(ctx)
    expect(info.database).toBeUndefined()
    expect(info.superuser).toBe(true)
  })
})

it('a driver made of a URL by the plugin reaches the same database', async () => {
  const driver = mysqlPlugin.create(mysqlPlugin.options.parse(mysqlPlugin.fromUrl?.(server.url(source)) ?? {}))
  expect((await driver.probe(ctx)).database?.tables).toBe(1)
})

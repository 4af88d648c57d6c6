import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, type Driver, type DumpRequest, type Logger } from '@holdfast/core'
import { childProcesses, memoryBackup, streamOfPart } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { plainDump } from '../test/support.js'
import { postgres } from './driver.js'
import type { PostgresOptions } from './options.js'

const ctx = createRunContext()
const password = 'pass:wo\\rd "\' 😀 canary'
let server: PostgresServer
let temporary: string

beforeAll(async () => {
  server = await startPostgres()
  temporary = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  await server.createDatabase('shop')
  await server.sql(
    'shop',
    `create schema "Sales"; create schema sales;
     create table orders (id int primary key, v text); insert into orders select i, 'o' || i from generate_series(1, 1000) i;
     create table items (id int primary key); insert into items select i from generate_series(1, 10) i;
     create table "Sales"."Orders" (id int); insert into "Sales"."Orders" values (1);
     create table sales.orders (id int); insert into sales.orders values (1), (2);
     create table parts (id int) partition by range (id);
     create table parts_1 partition of parts for values from (0) to (10); insert into parts select i from generate_series(0, 9) i;
     create extension hstore;
     create role backup login password '${password.replaceAll("'", "''")}' in role pg_read_all_data`,
  )
})
afterAll(async () => {
  rmSync(temporary, { recursive: true })
  await server.stop()
})

function driverOf(options: PostgresOptions = {}, database = 'shop'): Driver {
  return postgres({ url: server.url(database), binDir: server.binDir, ...options })
}

async function tablesIn(request: DumpRequest, options: PostgresOptions = {}): Promise<readonly string[]> {
  const backup = await memoryBackup(driverOf(options), { ...request, inventory: 'counts' }, ctx)
  const contents = (await driverOf(options).contents?.(backup, ctx)) ?? []
  const listed = backup.manifest.inventory?.tables.map(({ schema, name }) => `${schema}.${name}`) ?? []
  const dumped = contents.filter(({ kind }) => kind === 'table').map(({ schema, name }) => `${schema}.${name}`)
  expect(listed, 'the inventory lists what is dumped').toEqual(dumped.filter((name) => name !== 'public.parts').sort())
  return dumped.sort()
}

describe('what is dumped', () => {
  it('is everything, unless asked otherwise', async () => {
    expect(await tablesIn({})).toEqual([
      'Sales.Orders',
      'public.items',
      'public.orders',
      'public.parts',
      'public.parts_1',
      'sales.orders',
    ])
  })

  it.each<[DumpRequest, PostgresOptions, readonly string[]]>([
    [{ tables: ['orders'] }, {}, ['public.orders']],
    [{ tables: ['*.orders'] }, {}, ['public.orders', 'sales.orders']],
    [{ tables: ['"Sales"."Orders"', 'ITEMS'] }, {}, ['Sales.Orders', 'public.items']],
    [{ tables: ['public.*'], excludeTables: ['parts*', 'public.i?ems'] }, {}, ['public.orders']],
    [{ excludeTables: ['*.*rders'] }, {}, ['public.items', 'public.parts', 'public.parts_1']],
    [{}, { schemas: ['sales'] }, ['sales.orders']],
    [{}, { excludeSchemas: ['public', '"Sales"'] }, ['sales.orders']],
    [{ excludeTables: ['sales.*'] }, { schemas: ['"Sales"', 'sales'] }, ['Sales.Orders']],
  ])('is chosen by patterns: %j %j', async (request, options, expected) => {
    expect(await tablesIn(request, options)).toEqual(expected)
  })

  it.each<[DumpRequest, PostgresOptions, string]>([
    [{ tables: ['orders', 'ordres'] }, {}, '"ordres"'],
    [{ tables: ['Sales.Orders.x'] }, {}, 'Sales.Orders.x'],
    [{}, { schemas: ['nowhere'] }, '"nowhere"'],
  ])('a pattern that matches nothing is no-match: %j %j', async (request, options, named) => {
    await expect(driverOf(options).dump(request, ctx)).rejects.toMatchObject({
      code: 'no-match',
      message: expect.stringContaining(named),
    })
  })

  it('names what is near to a pattern that matches nothing', async () => {
    const hintOf = async (request: DumpRequest, options: PostgresOptions = {}): Promise<string | undefined> =>
      await driverOf(options)
        .dump(request, ctx)
        .then(undefined, ({ hint }) => hint)
    expect(await hintOf({ tables: ['ordres'] })).toMatch(/^Near to it: .*public\.orders/)
    expect(await hintOf({}, { schemas: ['sale'] })).toMatch(/^Near to it: .*sales/i)
    expect(await hintOf({ tables: ['nothing_like_it'] })).toMatch(/^Names are folded/)
  })

  it('an exclusion that matches nothing is a warning', async () => {
    const { manifest } = await memoryBackup(driverOf(), { excludeTables: ['tmp_*'] }, ctx)
    expect(manifest.warnings).toEqual(['No table matches the exclusion "tmp_*"'])
  })

  it('is schema or data alone, with or without owners and grants', async () => {
    const text = async (request: DumpRequest, options: PostgresOptions = {}): Promise<string> =>
      String((await memoryBackup(driverOf({ ...options, format: 'plain' }), request, ctx)).bytes.get('sql'))
    expect(await text({ sections: 'schema' })).not.toContain('COPY public.orders')
    expect(await text({ sections: 'data' })).not.toContain('CREATE TABLE')
    expect(await text({}, { noOwner: true })).not.toContain('OWNER TO')
    expect(await text({}, { clean: true, ifExists: true, create: true })).toMatch(
      /DROP DATABASE IF EXISTS shop;.*CREATE DATABASE shop/s,
    )
  })

  it('of an unknown format is refused', async () => {
    await expect(driverOf().dump({ format: 'tar' }, ctx)).rejects.toMatchObject({ code: 'config-invalid' })
  })
})

describe('the inventory', () => {
  it('covers all of a row where a column is called as the query calls the table', async () => {
    await server.createDatabase('named t')
    await server.sql('named t', `create table t (t int, v text); insert into t values (1, 'a'); create table none ()`)
    const sum = async (): Promise<unknown> =>
      (await memoryBackup(driverOf({}, 'named t'), { inventory: 'checksums' }, ctx)).manifest.inventory?.tables[1]
    const before = await sum()
    await server.sql('named t', `update t set v = 'b'`)
    expect(await sum()).toMatchObject({ name: 't', rows: 1, checksum: expect.not.stringMatching(/^0$/) })
    expect(await sum()).not.toEqual(before)
  })

  it('of a schema alone is none', async () => {
    const { manifest } = await memoryBackup(driverOf(), { sections: 'schema', inventory: 'counts' }, ctx)
    expect(manifest.inventory).toBeUndefined()
  })

  it('is of exactly the dumped state, whatever is written meanwhile', async () => {
    await server.createDatabase('busy')
    await server.sql(
      'busy',
      'create table a (i serial, pad text); create table b (i int); insert into a (pad) select repeat(md5(i::text), 50) from generate_series(1, 5000) i',
    )
    const writer = new pg.Client(server.url('busy'))
    await writer.connect()
    let writing = true
    const writes = (async () => {
      for (let i = 0; writing; i++) {
        await writer.query('begin')
        await writer.query(`insert into a (pad) values ('new')`)
        await writer.query('insert into b values ($1)', [i])
        await writer.query('delete from a where i = (select min(i) from a)')
        await writer.query('commit')
      }
    })()
    try {
      for (const inventory of ['counts', 'checksums'] as const) {
        const backup = await memoryBackup(driverOf({}, 'busy'), { inventory }, ctx)
        const target = driverOf({}, `busy ${inventory}`)
        await target.restore(backup, { mode: 'create' }, ctx)
        const restored = await memoryBackup(target, { inventory }, ctx)
        expect(restored.manifest.inventory).toEqual(backup.manifest.inventory)
        expect(backup.manifest.inventory).toMatchObject({ exact: true, level: inventory })
      }
    } finally {
      writing = false
      await writes
      await writer.end()
    }
  })

  it('leaves no connection behind', async () => {
    await memoryBackup(driverOf(), { inventory: 'counts' }, ctx)
    expect((await driverOf().probe(ctx)).database?.connections).toBe(0)
  })
})

describe('secrets', () => {
  it('stand in no argument, and in no file afterwards', async () => {
    const driver = postgres({
      url: server.url('shop', { user: 'backup', password }),
      binDir: server.binDir,
      globals: true,
    })
    const seen = new Set<string>()
    const files = new Set<string>()
    let polling = true
    const poll = (async () => {
      while (polling) {
        for (const pid of await childProcesses()) {
          for (const file of ['cmdline', 'environ']) seen.add(readQuietly(`/proc/${pid}/${file}`))
          const passfile = /PGPASSFILE=([^\0]*)/.exec(readQuietly(`/proc/${pid}/environ`))?.[1]
          if (passfile) {
            files.add(passfile)
            expect(statSync(passfile).mode & 0o777).toBe(0o600)
          }
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const { manifest } = await memoryBackup(driver, { inventory: 'counts' }, ctx)
    polling = false
    await poll
    expect(files.size).toBeGreaterThan(0)
    expect([...files].filter((file) => readQuietly(file).includes('canary'))).toEqual([])
    expect([...seen].some((text) => text.includes('pg_dump'))).toBe(true)
    for (const text of [...seen, JSON.stringify(manifest)]) {
      expect(text).not.toContain('canary')
      expect(text).not.toContain(server.password)
    }
  })

  it('never leave for a host that a database name names', async () => {
    const evil = `host=127.0.0.1 port=1 dbname=shop`
    await server.createDatabase(evil)
    await server.sql(evil, 'create table t as select 1 as x')
    const backup = await memoryBackup(driverOf({ globals: true }, evil), { inventory: 'counts' }, ctx)
    expect(backup.parts.map(({ name }) => name)).toEqual(['dump', 'globals.sql'])
    await driverOf({}, `${evil} x`).restore(backup, { mode: 'create', jobs: 2 }, ctx)
    expect(await plainDump(server, `${evil} x`)).toBe(await plainDump(server, evil))
  })
})

it('dumps roles without passwords for a role that may not read these', async () => {
  await server.sql('shop', `create role plain login password 'plain'; grant select on items to plain`)
  const url = server.url('shop', { user: 'plain', password: 'plain' })
  const backup = postgres({ url, binDir: server.binDir, globals: true })
  const globals = String((await memoryBackup(backup, { tables: ['items'] }, ctx)).bytes.get('globals.sql'))
  expect(globals).toContain('CREATE ROLE backup;')
  expect(globals).not.toContain('SCRAM-SHA-256')
  const whole = String((await memoryBackup(driverOf({ globals: true }), {}, ctx)).bytes.get('globals.sql'))
  expect(whole).toContain('SCRAM-SHA-256')
})

it('waits for a locked table no longer than it may', async () => {
  const holder = new pg.Client(server.url('shop'))
  await holder.connect()
  await holder.query('begin; lock table items in access exclusive mode')
  try {
    await expect(memoryBackup(driverOf({ lockTimeout: '200ms' }), {}, ctx)).rejects.toMatchObject({
      code: 'timed-out',
      retryable: true,
    })
  } finally {
    await holder.end()
  }
})

it('too many connections are worth another try', async () => {
  const clients = Array.from({ length: 51 }, () => new pg.Client(server.url('shop')))
  const connected = await Promise.allSettled(clients.map((client) => client.connect()))
  try {
    expect(connected.some(({ status }) => status === 'rejected')).toBe(true)
    await expect(driverOf().probe(ctx)).rejects.toMatchObject({ code: 'source-unreachable', retryable: true })
  } finally {
    await Promise.all(
      clients.map(async (client, index) => connected[index]?.status === 'fulfilled' && (await client.end())),
    )
  }
})

describe('programs that misbehave', () => {
  /** A directory with a pg_dump of our own making. */
  function fakeTools(script: string): string {
    const directory = mkdtempSync(join(temporary, 'bin-'))
    const version = 'if [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) 15.20"; exit 0; fi'
    writeFileSync(join(directory, 'pg_dump'), `#!/bin/sh\n${version}\n${script}\n`)
    chmodSync(join(directory, 'pg_dump'), 0o755)
    return directory
  }

  it('dies after output', async () => {
    const binDir = fakeTools('head -c 3000000 /dev/zero; echo "pg_dump: error: disk on fire" >&2; exit 3')
    await expect(memoryBackup(driverOf({ binDir }), {}, ctx)).rejects.toMatchObject({
      code: 'dump-failed',
      message: expect.stringContaining('disk on fire'),
    })
  })

  it('is killed after output', async () => {
    const binDir = fakeTools('head -c 3000000 /dev/zero; kill -9 $$')
    await expect(memoryBackup(driverOf({ binDir }), {}, ctx)).rejects.toMatchObject({ code: 'dump-failed' })
  })

  it('exits 0 without its end, which the check finds', async () => {
    const binDir = fakeTools(`${server.binDir}/pg_dump "$@" | head -c 4000; exit 0`)
    for (const format of ['custom', 'plain']) {
      const backup = await memoryBackup(driverOf({ binDir }), { format }, ctx)
      const [part] = backup.parts
      const checking = driverOf().check?.(part!, backup.open(part!.name, ctx), ctx)
      await expect(checking).rejects.toMatchObject({ code: 'corrupt' })
      const restoring = driverOf({}, 'never').restore(backup, { mode: 'create' }, ctx)
      await expect(restoring).rejects.toMatchObject({ code: expect.stringMatching(/corrupt|restore-failed/) })
      expect((await driverOf({}, 'never').probe(ctx)).database).toBeUndefined()
    }
  })

  it('hangs', async () => {
    const binDir = fakeTools('echo something; exec sleep 1000')
    await expect(memoryBackup(driverOf({ binDir, idleTimeout: '300ms' }), {}, ctx)).rejects.toMatchObject({
      code: 'timed-out',
      retryable: true,
    })
    await expect(memoryBackup(driverOf({ binDir, totalTimeout: '200ms' }), {}, ctx)).rejects.toMatchObject({
      code: 'timed-out',
    })
    expect(
      (await childProcesses())
        .map((pid) => readQuietly(`/proc/${pid}/cmdline`))
        .filter((line) => line.includes('sleep')),
    ).toEqual([])
  })

  it('warns', async () => {
    const warning = 'pg_dump: warning: there are circular foreign-key constraints'
    const binDir = fakeTools(
      `${server.binDir}/pg_dump "$@"; echo "${warning}" >&2; echo "pg_dump: detail: loop_a" >&2; echo "pg_dump: reading" >&2`,
    )
    const lines: string[] = []
    const log: Logger = {
      debug() {},
      info: (line) => lines.push(`info ${line}`),
      warn: (line) => lines.push(`warn ${line}`),
      error() {},
    }
    const { manifest } = await memoryBackup(driverOf({ binDir }), {}, createRunContext({ log }))
    expect(manifest.warnings).toEqual([warning, 'pg_dump: detail: loop_a'])
    expect(lines).toEqual([`warn ${warning}`, 'warn pg_dump: detail: loop_a', 'info pg_dump: reading'])
    await expect(memoryBackup(driverOf({ binDir }), { onWarning: 'fail' }, ctx)).rejects.toMatchObject({
      code: 'dump-failed',
    })
  })

  it('is too old, or not there', async () => {
    const binDir = mkdtempSync(join(temporary, 'bin-'))
    await expect(driverOf({ binDir }).dump({}, ctx)).rejects.toMatchObject({ code: 'tool-missing' })
    writeFileSync(join(binDir, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 14.9 (Debian)"\n', { mode: 0o755 })
    await expect(driverOf({ binDir }).dump({}, ctx)).rejects.toMatchObject({
      code: 'tool-too-old',
      hint: expect.stringContaining('apt-get install postgresql-client-15'),
    })
  })

  it('leaves no temp file', async () => {
    vi.stubEnv('TMPDIR', mkdtempSync(join(temporary, 'tmp-')))
    try {
      await expect(memoryBackup(driverOf({ binDir: fakeTools('exit 1') }), {}, ctx)).rejects.toThrow()
      await memoryBackup(driverOf({ globals: true }), {}, ctx)
      await using session = await driverOf().dump({}, ctx)
      session.done.catch(() => {})
      for await (const part of session.parts) {
        for await (const _ of streamOfPart(part)) break
        break
      }
      await session[Symbol.asyncDispose]()
      expect(readdirSync(tmpdir())).toEqual([])
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

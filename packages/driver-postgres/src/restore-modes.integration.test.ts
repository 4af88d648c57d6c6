import { createRunContext, type Driver, isBackupError } from '@holdfast/core'
import {
  damagedBackup,
  type MemoryBackup,
  memoryBackup,
  restoreReplacing,
  restoreStaged,
  stallingBackup,
} from '@holdfast/core/testing'
import { nastyDatabase, type PostgresServer, quoteName, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databasesOf, plainDump } from '../test/support.js'
import { postgres } from './driver.js'
import type { PostgresOptions } from './options.js'

const ctx = createRunContext()
const source = 'source'
let server: PostgresServer
let original: string
let custom: MemoryBackup
let plain: MemoryBackup

beforeAll(async () => {
  server = await startPostgres({ settings: { max_locks_per_transaction: 256 } })
  await server.createDatabase(source)
  await server.sql(source, nastyDatabase)
  original = await plainDump(server, source)
  custom = await memoryBackup(driverOf(source), { inventory: 'checksums' }, ctx)
  plain = await memoryBackup(driverOf(source), { format: 'plain' }, ctx)
})
afterAll(() => server.stop())

function driverOf(database: string, options: PostgresOptions = {}): Driver {
  return postgres({ url: server.url(database), binDir: server.binDir, ...options })
}

let count = 0
/** A database that is unlike the source but holds objects of the same names. */
async function filledTarget(): Promise<string> {
  const name = `filled "${++count}"`
  await server.sql('postgres', `create database ${quoteName(name)} template ${quoteName(source)}`)
  await server.sql(
    name,
    `update only parent set v = 'changed ' || id where id > 50; insert into parent (v) values ('only here'); drop table bookings`,
  )
  await server.sql(name, `select nextval('"odd seq"'); select lo_unlink(990003)`)
  return name
}
async function emptyTarget(): Promise<string> {
  const name = `empty ${++count}`
  await server.createDatabase(name)
  return name
}

const backups = { custom: () => custom, plain: () => plain }

describe.each(['custom', 'plain'] as const)('from a %s dump', (format) => {
  const backup = (): MemoryBackup => backups[format]()

  describe('create', () => {
    it('fills a database that was there, and empty', async () => {
      const target = await emptyTarget()
      const report = await driverOf(target).restore(backup(), { mode: 'create' }, ctx)
      expect(report.created).toBe(false)
      expect(await plainDump(server, target)).toBe(original)
    })

    it('refuses a database that holds something, and leaves it alone', async () => {
      const target = await filledTarget()
      const before = await plainDump(server, target)
      await expect(driverOf(target).restore(backup(), { mode: 'create' }, ctx)).rejects.toMatchObject({
        code: 'target-not-empty',
      })
      expect(await plainDump(server, target)).toBe(before)
    })

    it.each([0, 0.05, 0.5, 0.99, 1])('with damage after %d of the bytes leaves no database', async (share) => {
      const target = `never ${++count}`
      const restoring = driverOf(target).restore(damagedBackup(backup(), share), { mode: 'create' }, ctx)
      await expect(restoring).rejects.toMatchObject({ code: 'corrupt' })
      expect(await databasesOf(server)).not.toContain(target)
    })

    it.each([0.05, 0.99, 1])('with damage after %d of the bytes leaves an empty database empty', async (share) => {
      const target = await emptyTarget()
      const before = await plainDump(server, target)
      const restoring = driverOf(target).restore(damagedBackup(backup(), share), { mode: 'create' }, ctx)
      await expect(restoring).rejects.toMatchObject({ code: 'corrupt' })
      expect(await plainDump(server, target)).toBe(before)
      expect((await driverOf(target).probe(ctx)).database?.empty).toBe(true)
    })
  })

  describe('replace', () => {
    it('puts the restored database in the place of the old one', async () => {
      const target = await filledTarget()
      const report = await restoreReplacing(driverOf(target), backup(), {}, ctx)
      expect(report.created).toBe(false)
      expect(await plainDump(server, target)).toBe(original)
      expect((await databasesOf(server)).filter((name) => name.includes('__'))).toEqual([])
    })

    it('gives the name to a scratch where there is none to replace', async () => {
      const target = `made ${++count}`
      expect((await restoreStaged(driverOf(target), backup(), {}, ctx)).oldName).toBeUndefined()
      expect(await plainDump(server, target)).toBe(original)
    })

    it.each([0.05, 0.99, 1])('with damage after %d of the bytes leaves the old database', async (share) => {
      const target = await filledTarget()
      const before = await plainDump(server, target)
      const restoring = restoreReplacing(driverOf(target), damagedBackup(backup(), share), {}, ctx)
      await expect(restoring).rejects.toMatchObject({ code: 'corrupt' })
      expect(await plainDump(server, target)).toBe(before)
      expect((await databasesOf(server)).filter((name) => name.includes('__'))).toEqual([])
    })
  })

  it.each(['create', 'staged'] as const)('an abort during %s leaves things as they were', async (mode) => {
    const target = mode === 'create' ? `never ${++count}` : await filledTarget()
    const before = await databasesOf(server)
    const reason = new Error('changed my mind')
    const controller = new AbortController()
    const stalling = stallingBackup(backup(), 0.7, () => controller.abort(reason))
    const using = createRunContext({ signal: controller.signal })
    const restoring =
      mode === 'create'
        ? driverOf(target).restore(stalling, { mode }, using)
        : restoreStaged(driverOf(target), stalling, {}, using)
    await expect(restoring).rejects.toBe(reason)
    expect(await databasesOf(server)).toEqual(before)
  })
})

describe('clean', () => {
  it('drops what the dump holds and makes it again', async () => {
    const target = await filledTarget()
    await driverOf(target).restore(custom, { mode: 'clean' }, ctx)
    expect(await plainDump(server, target)).toBe(original)
  })

  it('a plain dump that was made for it does so too', async () => {
    const target = await filledTarget()
    const cleaning = await memoryBackup(driverOf(source, { format: 'plain', clean: true, ifExists: true }), {}, ctx)
    await driverOf(target).restore(cleaning, { mode: 'clean' }, ctx)
    expect(await plainDump(server, target)).toBe(original)
    await expect(driverOf(target).restore(plain, { mode: 'clean' }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
    })
  })

  it('needs a database', async () => {
    await expect(driverOf('nowhere').restore(custom, { mode: 'clean' }, ctx)).rejects.toMatchObject({
      code: 'source-missing',
    })
  })
})

describe('append', () => {
  it('makes what is missing and adds rows', async () => {
    const target = await emptyTarget()
    await server.sql(
      target,
      `create table bookings (room int, during tsrange); insert into bookings values (9, 'empty')`,
    )
    await server.sql(
      target,
      `create sequence "odd seq" start 49; select nextval('"odd seq"'); create schema "😀 schéma"`,
    )
    await driverOf(target).restore(custom, { mode: 'append' }, ctx)
    expect(await server.sql(target, 'select count(*)::int as rows from bookings')).toEqual([{ rows: 3 }])
    expect(await server.sql(target, 'select count(*)::int as rows from parent')).toEqual([{ rows: 111 }])
  })

  it('of everything into an empty database is a restore', async () => {
    const target = await emptyTarget()
    await driverOf(target).restore(custom, { mode: 'append' }, ctx)
    expect(await plainDump(server, target)).toBe(original)
  })

  it('adds nothing when a row collides, and puts sequences back', async () => {
    const target = await filledTarget()
    const before = await plainDump(server, target)
    const adding = driverOf(target).restore(custom, { mode: 'append', tables: ['parent', '"-dash first"'] }, ctx)
    await expect(adding).rejects.toMatchObject({ code: 'restore-failed' })
    expect(await plainDump(server, target)).toBe(before)
  })

  it('never moves a sequence back', async () => {
    const target = await emptyTarget()
    await server.sql(target, `create table t (id int, v text); create sequence s; select setval('s', 500)`)
    await server.sql('postgres', `create database "seq source" template template0`)
    await server.sql(
      'seq source',
      `create table t (id int, v text); create sequence s; select setval('s', 5); insert into t values (1, 'x')`,
    )
    const backup = await memoryBackup(driverOf('seq source'), {}, ctx)
    await driverOf(target).restore(backup, { mode: 'append' }, ctx)
    expect(await server.sql(target, `select nextval('s')::int as next`)).toEqual([{ next: 501 }])
    await server.sql(target, `select setval('s', 2)`)
    await driverOf(target).restore(backup, { mode: 'append' }, ctx)
    expect(await server.sql(target, `select nextval('s')::int as next, (select count(*)::int from t) as rows`)).toEqual(
      [{ next: 6, rows: 2 }],
    )
  })
})

describe.each(['custom', 'plain'] as const)('a live sequence and a %s dump', (format) => {
  const live = `ahead ${format}`
  const table = 'create table t (id int, v text); create sequence s'
  const backupOf = async (): Promise<MemoryBackup> => {
    await server.createDatabase(`of ${live}`)
    await server.sql(`of ${live}`, `${table}; select setval('s', 5); insert into t values (1, 'x'), (2, 'y')`)
    return await memoryBackup(driverOf(`of ${live}`, { format }), { sections: 'data' }, ctx)
  }
  const next = async (): Promise<unknown> => (await server.sql(live, `select nextval('s')::int as n`))[0]?.n

  it('is not moved by a failed append, and only ahead by another', async () => {
    const backup = await backupOf()
    await server.createDatabase(live)
    await server.sql(
      live,
      `${table}; select setval('s', 500);
       create function count_up(id int) returns boolean language sql as $$ select nextval('public.s') > 0 and id < 2 $$;
       alter table t add constraint counting check (count_up(id))`,
    )
    const { sections } = format === 'custom' ? ({ sections: 'data' } as const) : {}
    const request = { mode: 'append', ...(sections ? { sections } : {}) } as const
    await expect(driverOf(live).restore(backup, request, ctx)).rejects.toMatchObject({ code: 'restore-failed' })
    expect(await next(), 'what was given out while the restore ran').toBe(503)
    await server.sql(live, 'alter table t drop constraint counting')
    await driverOf(live).restore(backup, request, ctx)
    expect(await next()).toBe(504)
    await server.sql(live, `select setval('s', 2)`)
    await driverOf(live).restore(backup, request, ctx)
    expect(await next()).toBe(6)
  })
})

describe.each(['clean', 'append'] as const)('%s', (mode) => {
  const tables = mode === 'append' ? ['bookings'] : undefined

  it.each([0.01, 0.5, 0.99, 1])('with damage after %d of the bytes leaves the target as it was', async (share) => {
    const target = await filledTarget()
    const before = await plainDump(server, target)
    for (const request of [
      { mode, ...(tables ? { tables } : {}) },
      { mode, sections: 'schema', tables: ['bookings'] },
      { mode, tables: ['bookings'] },
    ] as const) {
      const restoring = driverOf(target).restore(damagedBackup(custom, share), request, ctx)
      await expect(restoring).rejects.toMatchObject({ code: 'corrupt' })
    }
    expect(await plainDump(server, target)).toBe(before)
  })

  it('an abort leaves the target as it was', async () => {
    const target = await filledTarget()
    const before = await plainDump(server, target)
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    const stalling = stallingBackup(custom, 0.7, () => controller.abort(reason))
    const aborted = createRunContext({ signal: controller.signal })
    await expect(driverOf(target).restore(stalling, { mode, ...(tables ? { tables } : {}) }, aborted)).rejects.toBe(
      reason,
    )
    expect(await plainDump(server, target)).toBe(before)
  })
})

describe('chosen tables', () => {
  const tableDump = (database: string, table: string): Promise<string> =>
    plainDump(server, database, [`--table=${table}`])

  it('come back with everything that belongs to them, and nothing else changes', async () => {
    const target = await filledTarget()
    await server.sql(target, `update "every type" set j = 'kept'; drop table "-dash first"; truncate partitioned`)
    const other = await tableDump(target, '"every type"')
    await driverOf(target).restore(custom, { mode: 'clean', tables: ['"-dash first"', 'bookings', 'self'] }, ctx)
    for (const table of ['"-dash first"', 'bookings', 'self']) {
      expect(await tableDump(target, table)).toBe(await tableDump(source, table))
    }
    expect(await tableDump(target, '"every type"')).toBe(other)
  })

  it('bring their partitions', async () => {
    const target = await emptyTarget()
    await driverOf(target).restore(custom, { mode: 'append', tables: ['public.partitioned'] }, ctx)
    const pattern = '(partitioned|part_2020|part_2020_0|"part 2020 1"|part_rest)'
    expect(await tableDump(target, pattern)).toBe(
      (await tableDump(source, pattern)).replace(/\n--\n-- Name: pub .*?;\n\n/gs, '\n'),
    )
  })

  it('bring types, functions and schemas that are missing', async () => {
    const target = `tables ${++count}`
    const report = await driverOf(target).restore(custom, { mode: 'create', tables: ['parent', '"every type"'] }, ctx)
    expect(report.created).toBe(true)
    expect(await tableDump(target, 'parent')).toBe(
      (await tableDump(source, 'parent')).replace(/\n--\n-- Name: pub .*?;\n\n/gs, '\n'),
    )
    expect(await tableDump(target, '"every type"')).toBe(await tableDump(source, '"every type"'))
    const names = await server.sql(
      target,
      `select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
    )
    expect(names.map(({ relname }) => relname)).toEqual(['child', 'every type', 'parent']) // a child is a part of its parent
  })

  it('a foreign key to a table that is not there is left out, and said', async () => {
    const target = await emptyTarget()
    const report = await driverOf(target).restore(custom, { mode: 'append', tables: ['loop_b'] }, ctx)
    expect(report.warnings.join('\n')).toMatch(
      /FK CONSTRAINT loop_b loop_b_a_fkey was left out: it needs public.loop_a/,
    )
    expect(await server.sql(target, 'select * from loop_b')).toEqual([])
  })

  it('a table that the dump does not hold is no-match', async () => {
    const target = await emptyTarget()
    await expect(
      driverOf(target).restore(custom, { mode: 'append', tables: ['parent', 'nothing.here'] }, ctx),
    ).rejects.toMatchObject({
      code: 'no-match',
      message: expect.stringContaining('nothing.here'),
    })
  })

  it('are refused from a plain dump', async () => {
    const target = await emptyTarget()
    await expect(driverOf(target).restore(plain, { mode: 'append', tables: ['parent'] }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
    })
  })
})

describe('sections', () => {
  it('schema, then data, is the whole', async () => {
    const target = await emptyTarget()
    const schema = await memoryBackup(driverOf(source), { sections: 'schema' }, ctx)
    await driverOf(target).restore(schema, { mode: 'create' }, ctx)
    expect(await plainDump(server, target, ['--schema-only'])).toBe(await plainDump(server, source, ['--schema-only']))
    const data = await memoryBackup(driverOf(source, { largeObjects: false }), { sections: 'data' }, ctx)
    await driverOf(target).restore(data, { mode: 'append', sections: 'data' }, ctx)
    const args = ['--data-only', '--no-blobs']
    expect(await plainDump(server, target, args)).toBe(await plainDump(server, source, args))
  })

  it('can be taken out of a whole dump', async () => {
    const target = await emptyTarget()
    await driverOf(target).restore(custom, { mode: 'create', sections: 'schema' }, ctx)
    expect(await plainDump(server, target, ['--schema-only', '--no-blobs'])).toBe(
      await plainDump(server, source, ['--schema-only', '--no-blobs']),
    )
    await driverOf(target).restore(custom, { mode: 'append', sections: 'data', tables: ['parent', 'child'] }, ctx)
    expect(await server.sql(target, 'select count(*)::int as rows from parent')).toEqual([{ rows: 111 }])
  })

  it('data into a new database is refused', async () => {
    await expect(driverOf('nowhere').restore(custom, { mode: 'create', sections: 'data' }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
    })
  })
})

it('a plain dump that drops is not appended', async () => {
  const dropping = await memoryBackup(driverOf(source, { format: 'plain', clean: true, ifExists: true }), {}, ctx)
  const target = await filledTarget()
  const before = await plainDump(server, target)
  await expect(driverOf(target).restore(dropping, { mode: 'append' }, ctx)).rejects.toMatchObject({
    code: 'restore-refused',
  })
  expect(await plainDump(server, target)).toBe(before)
})

it('several connections restore from a spooled file, which is gone afterwards', async () => {
  const target = `jobs = ${++count}`
  await driverOf(target).restore(custom, { mode: 'create', jobs: 3 }, ctx)
  expect(await plainDump(server, target)).toBe(original)
  const empty = await emptyTarget()
  await driverOf(empty).restore(custom, { mode: 'create', jobs: 2 }, ctx)
  expect(await plainDump(server, empty)).toBe(original)
  const restoring = driverOf('never jobs').restore(damagedBackup(custom, 1), { mode: 'create', jobs: 2 }, ctx)
  await expect(restoring).rejects.toSatisfy((error) => isBackupError(error, 'corrupt'))
})

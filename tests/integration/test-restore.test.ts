import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createHoldfast,
  type Driver,
  type Holdfast,
  type HoldfastConfig,
  type JobConfig,
  type VerifyOptions,
  type VerifyResult,
} from '@holdfast/core'
import { postgres } from '@holdfast/driver-postgres'
import { local } from '@holdfast/storage-local'
import { nastyDatabase, type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Test restores on a real server: what is whole is proven, and what is not is named. */

let server: PostgresServer
let directory: string
let count = 0
/** A backup of shop, for the tests that do not change how it is made. */
let shop: { readonly storages: HoldfastConfig['storages']; readonly id: string }

beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-restore-'))
  await server.createDatabase('shop')
  await server.sql('shop', nastyDatabase)
  await server.sql('shop', furtherTraps)
  const storages = { disk: local({ path: join(directory, 'shop') }) }
  await using holdfast = holdfastFor(sourceOf('shop'), {}, storages)
  shop = { storages, id: (await holdfast.backup()).backup.id }
})

afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** What a restore writes differently, or keeps in another order, although it is the same. */
const furtherTraps = `
  create table orders (id int primary key, state varchar(10) not null check (state in ('new', 'sent')), note text);
  alter table orders alter note set storage plain;
  insert into orders select i, 'new', repeat('x', (i * 7919) % 1800) from generate_series(1, 20000) i;
  create index by_state on orders (id) where state in ('new', 'sent');
  create view sent as select * from orders where state in ('sent', 'new') and state not in ('x', 'y');
  create table late_child (b text, a int);
  create table late_parent (a int, b text);
  alter table late_child inherit late_parent;
  insert into late_child values ('b', 1);
  create table times (at timestamptz, price money, bytes bytea);
  insert into times values ('2020-06-01 12:00+00', 12.5, '\\x00ff');
  comment on schema public is null;
  grant create on schema public to nasty_reader;
  alter database shop set timezone to 'Asia/Kathmandu';
  alter database shop set bytea_output to 'escape';
  alter database shop set search_path to "😀 schéma", public;
  alter database shop set default_transaction_read_only to on;
  alter role postgres set timezone to 'America/Lima'`

const sourceOf = (database: string, format: 'custom' | 'plain' = 'custom'): Driver =>
  postgres({ url: server.url(database), format })

function holdfastFor(
  source: Driver,
  job: Partial<JobConfig> = {},
  storages: HoldfastConfig['storages'] = { disk: local({ path: join(directory, `${++count}`) }) },
): Holdfast {
  return createHoldfast({ storages, jobs: { shop: { source, storages: ['disk'], ...job } } })
}

async function testOfShop(
  restoringInto: Driver,
  options: VerifyOptions = { testRestore: true },
): Promise<VerifyResult> {
  await using holdfast = holdfastFor(restoringInto, {}, shop.storages)
  return await holdfast.verify(shop.id, options)
}

async function test(
  source: Driver,
  options: VerifyOptions = { testRestore: true },
  job: Partial<JobConfig> = {},
): Promise<VerifyResult> {
  await using holdfast = holdfastFor(source, job)
  const { backup } = await holdfast.backup()
  return await holdfast.verify(backup.id, options)
}

async function databases(): Promise<string[]> {
  const rows = await server.sql<{ datname: string }>('postgres', 'select datname from pg_database order by 1')
  return rows.map(({ datname }) => datname).filter((name) => name.includes('__'))
}

/** The driver, whose scratch databases are changed after they were restored. */
function sabotaged(driver: Driver, change: string): Driver {
  return {
    ...driver,
    scratch: async (options, ctx) => {
      const scratch = await driver.scratch?.(options, ctx)
      if (!scratch) throw new Error('There is no scratch')
      const restore: Driver['restore'] = async (...args) => {
        const report = await scratch.driver.restore(...args)
        await server.sql(scratch.driver.database, change)
        return report
      }
      return { ...scratch, driver: { ...scratch.driver, restore } }
    },
  }
}

describe('a test restore', () => {
  it.each(['custom', 'plain'] as const)(
    'proves a database with everything that is likely to be lost (%s)',
    async (format) => {
      const { test: result, status, copies } = await test(sourceOf('shop', format))
      expect(result).toMatchObject({ status: 'proven', differences: [], notes: [], storage: 'disk' })
      expect(status).toBe('intact')
      expect(copies).toMatchObject([{ status: 'intact', parts: [{ plainBytes: expect.any(Number) }] }])
      expect(result!.sections).toBeGreaterThan(150)
      expect(result!.restoreMs).toBeGreaterThan(0)
      expect(await databases()).toEqual([])
    },
  )

  it.each([
    [
      `update times set price = 13`,
      { section: 'rows of public.times', row: 1, column: 'price', problem: 'row 1 differs in column price' },
    ],
    [
      'delete from orders where id = 20000',
      {
        section: 'rows of public.orders',
        row: 20_000,
        problem: 'row 20000 is missing in the restored database',
      },
    ],
    [
      `insert into orders values (20001, 'new', null)`,
      {
        section: 'rows of public.orders',
        row: 20_001,
        problem: 'row 20001 is in the restored database alone',
      },
    ],
    ['drop index by_state', { section: 'index public.by_state', problem: 'it is missing in the restored database' }],
    [
      'drop trigger touched on parent',
      { section: 'trigger public.parent touched', problem: 'it is missing in the restored database' },
    ],
    ['drop view sent; alter table orders drop column note', { section: 'table public.orders', problem: 'it differs' }],
    [
      'create table public.more (a int)',
      { section: 'table public.more', problem: 'it is in the restored database alone' },
    ],
    [`select setval('public."odd seq"', 5)`, { section: 'value of sequence public.odd seq', problem: 'it differs' }],
    ['revoke create on schema public from nasty_reader', { section: 'grants on schema public' }],
    ['alter table orders owner to nasty_reader', { section: 'owner of table public.orders' }],
    [`select lo_put(990001, 1, 'x')`, { section: 'content of large object 990001', problem: 'it differs' }],
  ])('names what differs after %s', async (change, expected) => {
    const changed = sabotaged(sourceOf('shop'), `set default_transaction_read_only to off; ${change}`)
    const { test: result, status } = await testOfShop(changed)
    expect(result?.status).toBe('differs')
    expect(result?.differences).toContainEqual(expect.objectContaining(expected))
    expect(status).toBe('corrupt')
    expect(JSON.stringify(result)).not.toContain('xxx')
  })

  it('finds rows that are the same in another order to be the same', async () => {
    // As if restored by a server that keeps rows where it likes, which one without room for a single transaction does.
    const shuffled = `set default_transaction_read_only to off;
      create temp table kept as select * from orders; truncate orders;
      insert into orders select * from kept order by id desc`
    expect((await testOfShop(sabotaged(sourceOf('shop'), shuffled))).test).toMatchObject({ status: 'proven' })
  })

  it('names tables that were short in the dump already', async () => {
    const source = sourceOf('shop')
    const miscounting: Driver = {
      ...source,
      async dump(request, ctx) {
        const session = await source.dump(request, ctx)
        const inventory = async () => {
          const found = await session.inventory!()
          return { ...found, tables: found.tables.map((t) => (t.name === 'orders' ? { ...t, rows: t.rows + 1 } : t)) }
        }
        return {
          ...session,
          ...(session.inventory && { inventory }),
          [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
        }
      },
    }
    const { test: result } = await test(miscounting)
    expect(result).toMatchObject({
      status: 'differs',
      differences: [{ section: 'rows of public.orders', problem: '20000 rows now; 20001 rows at the backup' }],
    })
  })

  it('runs what the user asserts, in the restored database', async () => {
    const assertions = [
      'select count(*) = 20000 from orders',
      'select count(*) from orders where id > 20000',
      async function everyOrderIsNew({ query }: { query: (sql: string) => Promise<readonly unknown[]> }) {
        return (await query(`select 1 from orders where state <> 'new'`)).length === 0
      },
      async function nobodyIsThere() {
        throw new Error('there is somebody')
      },
    ]
    const { test: result } = await testOfShop(sourceOf('shop'), { testRestore: { assertions } })
    expect(result).toMatchObject({
      status: 'assertion-failed',
      differences: [],
      failedAssertions: [
        { assertion: 'select count(*) from orders where id > 20000', problem: 'it returned 0' },
        { assertion: 'nobodyIsThere', problem: 'there is somebody' },
      ],
    })
  })

  it('raises no false alarm while a writer changes the source', { timeout: 300_000 }, async () => {
    await server.createDatabase('busy')
    const env = { PATH: process.env.PATH, PGPASSWORD: server.password }
    const args = ['-h', server.host, '-p', String(server.port), '-U', server.user, 'busy']
    const pgbench = join(server.binDir, 'pgbench')
    execFileSync(pgbench, ['--initialize', '--scale=2', '--quiet', ...args], { env, stdio: 'pipe' })
    const writers = spawn(pgbench, ['--client=3', '--time=300', ...args], { env, stdio: 'ignore' })
    const ended = once(writers, 'exit')
    try {
      await using holdfast = holdfastFor(sourceOf('busy'))
      for (let round = 1; round <= 6; round++) {
        const { backup } = await holdfast.backup()
        const { test: result } = await holdfast.verify(backup.id, { testRestore: true })
        expect([round, result?.status, result?.differences]).toEqual([round, 'proven', []])
        expect(backup.manifest.inventory?.exact).toBe(true)
      }
    } finally {
      writers.kill()
      await ended
    }
    expect(await databases()).toEqual([])
  })

  it('runs on another server, with other settings, and without its roles', async () => {
    await using other = await startPostgres({ settings: { timezone: 'Pacific/Chatham', bytea_output: 'escape' } })
    const on = postgres({ url: other.url('postgres') })
    await server.createDatabase('plain settings')
    await server.sql(
      'plain settings',
      `create table times (at timestamptz, bytes bytea); insert into times values (now(), '\\xff'); create role "only here";
       alter table times owner to "only here"; create table more (a int); grant select on more to "only here"`,
    )
    const { test: result } = await test(
      sourceOf('plain settings'),
      { testRestore: true },
      { verify: { testRestore: { on } } },
    )
    expect(result).toMatchObject({ status: 'proven', differences: [] })
    expect(result?.notes.join()).toMatch(/only here.*Owners, grants or tablespaces are other ones/s)
    const left = await other.sql('postgres', `select datname from pg_database where datname like '%holdfast%'`)
    expect(left).toEqual([])
  })

  it('says that damaged bytes are damaged, and tests the next copy', async () => {
    const paths = [join(directory, 'damaged'), join(directory, 'whole')]
    const [damaged, whole] = paths.map((path) => local({ path }))
    await using holdfast = createHoldfast({
      storages: { damaged: damaged!, whole: whole! },
      jobs: { shop: { source: sourceOf('shop'), storages: ['damaged', 'whole'] } },
    })
    const { backup } = await holdfast.backup()
    const file = join(paths[0]!, backup.manifest.parts[0]!.key)
    const bytes = readFileSync(file)
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
    writeFileSync(file, bytes)
    const { copies, status, test: result } = await holdfast.verify(backup.id, { testRestore: true })
    expect(copies).toMatchObject([
      { storage: 'damaged', status: 'corrupt' },
      { storage: 'whole', status: 'intact', test: { status: 'proven' } },
    ])
    expect([status, result?.storage]).toEqual(['corrupt', 'whole'])
    expect(await databases()).toEqual([])
  })

  it('is kept beside the backup, and outlives a verification that reads alone', async () => {
    await using holdfast = holdfastFor(sourceOf('shop'))
    const { backup } = await holdfast.backup()
    const { test: result } = await holdfast.verify(backup.id, { testRestore: true })
    const { storage: _, ...kept } = result!
    expect((await holdfast.show(backup.id)).test).toEqual(kept)
    await holdfast.verify(backup.id)
    expect(await holdfast.show(backup.id)).toMatchObject({ test: kept, copies: [{ test: kept }] })
  })

  it('drops its scratch when it is aborted in the middle', async () => {
    await using holdfast = holdfastFor(sourceOf('shop'), {}, shop.storages)
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    const verifying = holdfast.verify(shop.id, {
      testRestore: true,
      signal: controller.signal,
      onProgress: (event) => {
        if (event.type === 'stage' && event.detail?.startsWith('comparing')) controller.abort(reason)
      },
    })
    await expect(verifying).rejects.toBe(reason)
    expect(await databases()).toEqual([])
  })
})

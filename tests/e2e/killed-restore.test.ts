import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHoldfast } from '@holdfast/core'
import { postgres } from '@holdfast/driver-postgres'
import { local } from '@holdfast/storage-local'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url))
const kills = 6

let server: PostgresServer
let directory: string

beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-killed-'))
  await server.createDatabase('shop')
  await server.sql(
    'shop',
    `CREATE TABLE items (id int PRIMARY KEY, name text);
     INSERT INTO items SELECT n, md5(n::text) FROM generate_series(1000, 100000) n;
     CREATE TABLE orders AS SELECT * FROM items;`,
  )
  await server.createDatabase('before')
  await server.sql('before', `CREATE TABLE items (id int PRIMARY KEY, name text); INSERT INTO items VALUES (7, 'mine')`)
  for (const dump of ['custom', 'plain', 'plain--append']) {
    const format = dump === 'custom' ? 'custom' : 'plain'
    const clean = dump === 'plain' // a plain dump that drops is not appended, nor one of tables that are there
    const chosen = dump === 'plain--append' ? { dump: { tables: ['orders'] } } : {}
    const source = postgres({ url: server.url('shop'), format, clean, ifExists: clean })
    await using holdfast = createHoldfast({
      jobs: { shop: { source, storages: [local({ path: join(directory, dump) })], ...chosen } },
    })
    await holdfast.backup()
  }
})

afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Restores by the command; killed after a while, unless it was faster. */
async function restore(
  format: string,
  options: readonly string[],
  killAfterMs?: number,
): Promise<{ code: number | null; output: string; tookMs: number }> {
  const started = performance.now()
  const child = spawn(
    process.execPath,
    [bin, 'restore', 'latest', '--from', join(directory, format), '--into', server.url('target'), '--yes', ...options],
    {
      cwd: directory,
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  return { code, output, tookMs: performance.now() - started }
}

async function databases(): Promise<string[]> {
  const rows = await server.sql<{ datname: string }>('postgres', 'SELECT datname FROM pg_database')
  return rows.map(({ datname }) => datname)
}

/** Waits until the server has noticed that the clients are gone. */
async function quiet(): Promise<void> {
  const sessions = `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`
  await expect.poll(() => server.sql('postgres', sessions), { timeout: 60_000 }).toEqual([])
}

function dumpFor(format: string, mode: string): string {
  return format === 'plain' && mode === '--append' ? 'plain--append' : format
}

/** What the target holds: its own rows, all of the backup, or something between. */
async function state(itemsAfter: number): Promise<string> {
  const [row] = await server.sql<{ items: number; orders: boolean }>(
    'target',
    `SELECT (SELECT count(*)::int FROM items) AS items, to_regclass('orders') IS NOT NULL AS orders`,
  )
  if (row?.items === 1 && !row.orders) return 'before'
  const [orders] = row?.orders ? await server.sql<{ n: number }>('target', 'SELECT count(*)::int AS n FROM orders') : []
  return (row?.items ?? 0) >= itemsAfter && orders?.n === 99_001
    ? 'after'
    : `between: ${JSON.stringify({ row, orders })}`
}

describe.each(['custom', 'plain'])('a restore of a %s dump that is killed', (format) => {
  it.each(['--append', '--clean', '--drop'])(
    `${kills} times on its way into a database (%s) leaves it as before or as after`,
    async (mode) => {
      const anew = async (): Promise<void> => {
        await quiet()
        await server.sql('postgres', 'DROP DATABASE IF EXISTS target')
        await server.sql('postgres', 'CREATE DATABASE target TEMPLATE before')
      }
      await anew()
      const whole = await restore(dumpFor(format, mode), [mode])
      expect(whole.code, whole.output).toBe(0)
      let usualMs = whole.tookMs
      for (let killed = 0; killed < kills; ) {
        await anew()
        const killAfterMs = (0.2 + Math.random() * 0.8) * usualMs
        const { code, output, tookMs } = await restore(dumpFor(format, mode), [mode], killAfterMs)
        await quiet()
        // A kill that comes after the commit is too late: then all of it is there.
        expect(['before', 'after']).toContain(await state(dumpFor(format, mode) === 'plain--append' ? 1 : 99_001))
        if (code === null) killed++
        else expect(code, output).toBe(0)
        if (code !== null) usualMs = tookMs // the machine was busier before
      }
    },
  )

  it(`${kills} times on its way into a new database leaves none, or all of it`, async () => {
    await quiet()
    await server.sql('postgres', 'DROP DATABASE IF EXISTS target')
    const whole = await restore(format, [])
    expect(whole.code, whole.output).toBe(0)
    let usualMs = whole.tookMs
    for (let killed = 0; killed < kills; ) {
      await server.sql('postgres', 'DROP DATABASE IF EXISTS target')
      const { code, output, tookMs } = await restore(format, [], (0.2 + Math.random() * 0.8) * usualMs)
      await quiet()
      if (code !== null) {
        usualMs = tookMs
        expect(code, output).toBe(0)
        continue
      }
      killed++
      // A kill that comes after it got its name is too late.
      if ((await databases()).includes('target')) expect(await state(99_001)).toBe('after')
    }
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHoldfast } from '@holdfast/core'
import { postgres } from '@holdfast/driver-postgres'
import { local } from '@holdfast/storage-local'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bin, holdfast } from './cli-process.js'

/** How many restores are killed. The nightly run asks for more. */
const kills = Number(process.env.HOLDFAST_RESTORE_KILLS ?? 12)

let server: PostgresServer
let directory: string

beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-killed-staged-'))
  await server.createDatabase('shop')
  await server.sql('shop', `CREATE TABLE items AS SELECT n, md5(n::text) FROM generate_series(1, 50000) n`)
  await server.createDatabase('target')
  await server.sql('target', `CREATE TABLE items AS SELECT 7 AS n; COMMENT ON DATABASE target IS 'mine'`)
  const source = postgres({ url: server.url('shop') })
  await using backups = createHoldfast({
    jobs: { shop: { source, storages: [local({ path: join(directory, 'disk') })] } },
  })
  await backups.backup()
})

afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** A staged restore by the command; killed after a while, unless it was faster. */
async function restore(killAfterMs?: number): Promise<{ killed: boolean; ms: number }> {
  const started = performance.now()
  const argv = ['restore', 'latest', '--from', join(directory, 'disk'), '--into', server.url('target')]
  const child = spawn(process.execPath, [bin, ...argv, '--staged', '--terminate', '--yes'], {
    cwd: directory,
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  if (code !== null) expect(code, output).toBe(0)
  return { killed: code === null, ms: performance.now() - started }
}

/** Waits until the server has noticed that the clients are gone. */
async function quiet(): Promise<void> {
  const sessions = `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`
  await expect.poll(() => server.sql('postgres', sessions), { timeout: 60_000 }).toEqual([])
}

async function beside(): Promise<string[]> {
  const rows = await server.sql<{ name: string }>(
    'postgres',
    `SELECT datname::text AS name FROM pg_database WHERE datname LIKE 'target\\_\\_%' ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

/** Whose rows the target holds. Whoever asks connects to it. */
async function state(): Promise<string> {
  const [row] = await server.sql<{ rows: number; comment: string }>(
    'target',
    `SELECT count(*)::int AS rows, shobj_description((SELECT oid FROM pg_database WHERE datname = 'target'), 'pg_database') AS comment FROM items`,
  )
  if (row?.comment !== 'mine') return `without its comment: ${JSON.stringify(row)}`
  return { 1: 'before', 50000: 'after' }[row.rows] ?? `between: ${row.rows} rows`
}

it(
  `a staged restore that is killed ${kills} times leaves the database as before or as after, and what is left is cleaned up`,
  async () => {
    let usualMs = (await restore()).ms
    expect(await state()).toBe('after')
    const target = postgres({ url: server.url('target') })
    await using asides = createHoldfast({ jobs: {} })
    const { oldName } = await asides.undo(target, { terminateConnections: true })
    expect([await state(), await beside()]).toEqual(['before', [oldName]])
    const ends = { before: 0, after: 0, finished: 0, left: 0 }
    for (let killed = 0; killed < kills; ) {
      await asides.cleanup(target, { all: true })
      expect(await beside()).toEqual([])
      const end = await restore((0.3 + Math.random() * 0.7) * usualMs)
      if (!end.killed) usualMs = Math.min(usualMs, end.ms)
      await quiet()
      const found = await state()
      expect(['before', 'after']).toContain(found)
      const left = await beside()
      ends.left += left.length
      if (end.killed) killed++
      ends[end.killed ? (found as 'before' | 'after') : 'finished']++
      expect((await asides.asides(target)).map(({ name }) => name).toSorted()).toEqual(left)
      if (found === 'before') continue
      // The swap was done: the old database stands beside, whole, and takes its place again.
      expect(left.filter((name) => name.startsWith('target__before_'))).toHaveLength(1)
      await asides.undo(target, { terminateConnections: true })
      expect(await state()).toBe('before')
    }
    console.log(`staged restores: killed ${kills}, ${JSON.stringify(ends)}`)
    await restore()
    const argv = ['restore', 'cleanup', '--into', server.url('target'), '--all', '--yes']
    const { code, out } = await holdfast({ cwd: directory }, ...argv)
    expect([code, out]).toEqual([0, expect.stringContaining('dropped target__before_')])
    expect(await beside()).toEqual([])
  },
  (120 + kills * 15) * 1000,
)

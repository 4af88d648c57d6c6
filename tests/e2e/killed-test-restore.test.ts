import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { bin, holdfast } from './cli-process.js'

/** How many test restores are killed, each at another stage. */
const kills = 6

let server: PostgresServer
let directory: string

beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-killed-test-'))
  await server.createDatabase('shop')
  await server.sql('shop', `CREATE TABLE items AS SELECT n, md5(n::text) FROM generate_series(1, 200000) n`)
  const made = await holdfast({ cwd: directory }, 'backup', server.url('shop'), '--to', './disk')
  expect(made.code, made.err).toBe(0)
})

afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

async function databases(): Promise<readonly string[]> {
  const rows = await server.sql<{ name: string }>(
    'postgres',
    'SELECT datname::text AS name FROM pg_database ORDER BY 1',
  )
  return rows.map(({ name }) => name)
}

const sessions = (): Promise<readonly unknown[]> =>
  server.sql(
    'postgres',
    `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
  )

/** Starts a test restore and kills it once its scratch is there and holds so many bytes. */
async function killAt(bytes: number): Promise<void> {
  const argv = ['verify', 'latest', '--from', './disk', '--test-restore', '--on', server.url('shop')]
  const child = spawn(process.execPath, [bin, ...argv], {
    cwd: directory,
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
    stdio: 'ignore',
  })
  const closed = once(child, 'close')
  const size = `SELECT 1 FROM pg_database WHERE datname LIKE 'shop\\_\\_holdfast\\_%' AND pg_database_size(oid) >= $1`
  const holds = async (): Promise<boolean> =>
    (await server.sql('postgres', size.replace('$1', String(bytes)))).length > 0
  try {
    await vi.waitUntil(async () => child.exitCode !== null || (await holds()), { interval: 1, timeout: 60_000 })
  } finally {
    child.kill('SIGKILL')
  }
  const [code] = await closed
  expect(code, 'it was killed before its end').toBeNull()
  await expect.poll(sessions, { timeout: 60_000 }).toEqual([])
}

it(`a test restore that is killed ${kills} times leaves its scratch at most, which cleanup lists and removes`, async () => {
  const before = await databases()
  const cleanup = (...argv: string[]): ReturnType<typeof holdfast> =>
    holdfast({ cwd: directory }, 'restore', 'cleanup', '--into', server.url('shop'), ...argv)
  for (let killed = 0; killed < kills; killed++) {
    await killAt(7_000_000 + killed * 2_000_000)
    const left = (await databases()).filter((name) => !before.includes(name))
    expect(left).toEqual([expect.stringMatching(/^shop__holdfast_[0-9a-f]{8}$/)])
    const listed = await cleanup()
    expect([listed.code, listed.out]).toEqual([0, expect.stringContaining(`${left[0]} (an unfinished restore of`)])
    expect(await databases()).toContain(left[0])
    const cleaned = await cleanup('--all', '--yes')
    expect([cleaned.code, cleaned.out]).toEqual([0, expect.stringContaining(`dropped ${left[0]}`)])
    expect(await databases()).toEqual(before)
  }
  const proven = await holdfast(
    { cwd: directory },
    ...['verify', 'latest', '--from', './disk', '--test-restore', '--on', server.url('shop')],
  )
  expect([proven.code, proven.out]).toEqual([0, expect.stringContaining('proven')])
  expect(await databases()).toEqual(before)
}, 240_000)

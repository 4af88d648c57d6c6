import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHoldfast, createRunContext, type Holdfast, type Storage } from '@holdfast/core'
import { local } from '@holdfast/storage-local'
import { s3 } from '@holdfast/storage-s3'
import { type PostgresServer, type S3Server, startPostgres, startS3Server } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** How many runs are killed. The nightly run asks for more. */
const kills = Number(process.env.HOLDFAST_CRASHES ?? 200)
const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url))

let server: PostgresServer
let bucket: S3Server
let directory: string
let disk: Storage
let offsite: Storage
let holdfast: Holdfast

beforeAll(async () => {
  ;[server, bucket] = await Promise.all([startPostgres(), startS3Server()])
  directory = mkdtempSync(join(tmpdir(), 'holdfast-crash-'))
  await bucket.createBucket('crash')
  await server.createDatabase('shop')
  // About 12 MB that hardly compress: an upload to S3 takes several parts.
  await server.sql(
    'shop',
    `CREATE TABLE noise AS SELECT n, gen_random_uuid()::text || gen_random_uuid() AS a FROM generate_series(1, 150000) n`,
  )
  const { accessKeyId, secretAccessKey, endpoint } = bucket
  disk = local({ path: join(directory, 'disk'), name: 'disk' })
  offsite = s3({ bucket: 'crash', endpoint, accessKeyId, secretAccessKey, name: 'offsite' })
  holdfast = createHoldfast({ storages: { disk, offsite }, jobs: {} })
})

afterAll(async () => {
  await holdfast?.close()
  await Promise.all([server?.stop(), bucket?.stop()])
  rmSync(directory, { recursive: true, force: true })
})

/** Starts a backup to both storages; kills it after `killAfterMs`, unless it was faster. */
async function backup(killAfterMs?: number): Promise<{ code: number | null; output: string }> {
  const to = ['--to', join(directory, 'disk'), '--to', `s3://crash?endpoint=${bucket.endpoint}`]
  const child = spawn(process.execPath, [bin, 'backup', '--json', ...to], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: server.url('shop'),
      S3_ACCESS_KEY_ID: bucket.accessKeyId,
      S3_SECRET_ACCESS_KEY: bucket.secretAccessKey,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  return { code, output }
}

/** What is listed, copy by copy; `whole` says that a copy looks complete there. */
async function listed(): Promise<Map<string, boolean>> {
  const { backups, damaged, unreachable } = await holdfast.list()
  expect({ damaged, unreachable }).toEqual({ damaged: [], unreachable: [] })
  return new Map(
    backups.flatMap(({ id, copies }) => copies.map((copy) => [`${copy.storage} ${id}`, copy.status === 'complete'])),
  )
}

describe('a backup to disk and S3 that is killed', () => {
  it(`${kills} times at random points lists no half backup and loses no good one`, {
    timeout: kills * 10_000,
  }, async () => {
    const started = performance.now()
    const first = await backup()
    expect(first).toMatchObject({ code: 0, output: expect.any(String) })
    const usualMs = performance.now() - started
    const acknowledged = new Set((await listed()).keys())
    expect(acknowledged.size).toBe(2)
    let killed = 0
    let finished = 0
    while (killed < kills) {
      const { code, output } = await backup(Math.random() * usualMs * 1.1)
      if (code === null) killed++
      else {
        finished++
        expect({ code, output }).toMatchObject({ code: 0 })
      }
      const now = await listed()
      expect([...now].filter(([, whole]) => !whole)).toEqual([])
      expect([...acknowledged].filter((copy) => !now.has(copy))).toEqual([])
      for (const copy of now.keys()) acknowledged.add(copy)
    }
    console.log(`killed ${killed}, finished ${finished}, copies listed ${acknowledged.size}`)

    // What is listed is not only of the right size: every byte is as it was dumped.
    const { backups } = await holdfast.list()
    for (const { id } of backups) expect((await holdfast.verify(id)).status).toBe('intact')

    // The next run fills in what the killed ones owe, and nothing half-written stays once it is swept.
    expect((await backup()).code).toBe(0)
    const filled = (await holdfast.list()).backups
    expect(filled.filter(({ copies }) => copies.length < 2)).toEqual([])
    for (const { id } of filled) expect((await holdfast.verify(id)).status).toBe('intact')
    const later = new Date(Date.now() + 1_000)
    for (const storage of [disk, offsite]) {
      await storage.sweepUnfinished?.({ before: later, prefixes: ['default/'] }, createRunContext())
    }
    expect(await bucket.openUploads('crash')).toEqual([])
  })
})

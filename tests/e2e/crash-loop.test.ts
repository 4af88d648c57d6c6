import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHoldfast, createRunContext, type Holdfast, type Storage } from '@holdfast/core'
import { local } from '@holdfast/storage-local'
import { s3 } from '@holdfast/storage-s3'
import { type PostgresServer, type S3Server, startPostgres, startS3Server } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** How many runs are killed. `npm run test:slow` asks for 500. */
const kills = Number(process.env.HOLDFAST_CRASHES ?? 25)
/** So many in the same places, then in new ones: every run looks at all backups there are, and listing reads them. */
const killsPerSeries = 25
const series = Array.from({ length: Math.ceil(kills / killsPerSeries) }, (_, index) => index + 1)
const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url))

let server: PostgresServer
let bucket: S3Server
let directory: string

beforeAll(async () => {
  ;[server, bucket] = await Promise.all([startPostgres(), startS3Server()])
  directory = mkdtempSync(join(tmpdir(), 'holdfast-crash-'))
  await server.createDatabase('shop')
  // About 6 MB once compressed: an upload to S3 takes two of the smallest parts.
  await server.sql(
    'shop',
    `CREATE TABLE noise AS SELECT n, gen_random_uuid()::text || gen_random_uuid() AS a FROM generate_series(1, 150000) n`,
  )
})

afterAll(async () => {
  await Promise.all([server?.stop(), bucket?.stop()])
  rmSync(directory, { recursive: true, force: true })
})

/** A directory and a bucket of their own, and what is in them. */
class Places implements AsyncDisposable {
  readonly storages: Readonly<Record<'disk' | 'offsite', Storage>>
  readonly holdfast: Holdfast
  readonly #path: string
  readonly #bucket: string

  constructor(name: string) {
    this.#path = join(directory, name)
    this.#bucket = name
    const { accessKeyId, secretAccessKey, endpoint } = bucket
    const disk = { path: join(this.#path, 'disk') }
    const offsite = { bucket: name, endpoint, accessKeyId, partSize: 5 * 1024 ** 2 }
    this.storages = { disk: local({ ...disk, name: 'disk' }), offsite: s3({ ...offsite, secretAccessKey }) }
    this.holdfast = createHoldfast({ storages: this.storages, jobs: {} })
    mkdirSync(this.#path)
    const config = {
      storages: {
        disk: { kind: 'local', ...disk },
        offsite: { kind: 's3', ...offsite, secretAccessKey: { env: 'S3_SECRET_ACCESS_KEY' } },
      },
      jobs: {
        default: { source: { kind: 'postgres', url: { env: 'SHOP_URL' } }, storages: Object.keys(this.storages) },
      },
    }
    writeFileSync(join(this.#path, 'holdfast.config.json'), JSON.stringify(config))
  }

  /** Starts a backup to both; kills it after `killAfterMs`, unless it was faster. */
  async backup(killAfterMs?: number): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, [bin, 'backup', '--json'], {
      cwd: this.#path,
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        SHOP_URL: server.url('shop'),
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
  async listed(): Promise<Map<string, boolean>> {
    const { backups, damaged, unreachable } = await this.holdfast.list()
    expect({ damaged, unreachable }).toEqual({ damaged: [], unreachable: [] })
    return new Map(
      backups.flatMap(({ id, copies }) => copies.map((copy) => [`${copy.storage} ${id}`, copy.status === 'complete'])),
    )
  }

  openUploads(): Promise<readonly string[]> {
    return bucket.openUploads(this.#bucket)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.holdfast.close()
  }
}

describe(`a backup to disk and S3 that is killed ${kills} times at random points`, () => {
  it.each(series)(
    'lists no half backup and loses no good one (series %i)',
    {
      timeout: killsPerSeries * 10_000,
    },
    async (number) => {
      await bucket.createBucket(`crash-${number}`)
      await using places = new Places(`crash-${number}`)
      const { holdfast, storages } = places
      const first = await places.backup()
      expect(first).toMatchObject({ code: 0, output: expect.any(String) })
      // Not the first, which takes longer: too many runs would end before they are killed.
      let started = performance.now()
      expect((await places.backup()).code).toBe(0)
      let usualMs = performance.now() - started
      const acknowledged = new Set((await places.listed()).keys())
      expect(acknowledged.size).toBe(4)
      let killed = 0
      let finished = 0
      while (killed < killsPerSeries) {
        started = performance.now()
        const { code, output } = await places.backup(Math.random() * usualMs * 1.1)
        if (code === null) killed++
        else {
          finished++
          usualMs = performance.now() - started // a machine that is faster by now would outrun the kills
          expect({ code, output }).toMatchObject({ code: 0 })
        }
        const now = await places.listed()
        expect([...now].filter(([, whole]) => !whole)).toEqual([])
        expect([...acknowledged].filter((copy) => !now.has(copy))).toEqual([])
        for (const copy of now.keys()) acknowledged.add(copy)
      }
      console.log(`killed ${killed}, finished ${finished}, copies listed ${acknowledged.size}`)

      // What is listed is not only of the right size: every byte is as it was dumped, before anything is filled in.
      for (const { id } of (await holdfast.list()).backups) expect((await holdfast.verify(id)).status).toBe('intact')

      // The next run fills in what the killed ones owe.
      expect((await places.backup()).code).toBe(0)
      const filled = (await holdfast.list()).backups
      expect(filled.filter(({ copies }) => copies.length < 2)).toEqual([])
      for (const { id } of filled) expect((await holdfast.verify(id)).status).toBe('intact')
      // Nothing half-written stays once it is swept.
      const later = new Date(Date.now() + 1_000)
      for (const storage of Object.values(storages)) {
        await storage.sweepUnfinished?.({ before: later, prefixes: ['default/'] }, createRunContext())
      }
      expect(await places.openUploads()).toEqual([])
    },
  )
})

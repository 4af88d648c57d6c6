import { randomBytes } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { content, down, jobOn, keysOn, run, setUp, withPut } from '../../test/engine.js'
import { BackupError } from '../backup-error.js'
import { type ByteStream, readAll, streamOf } from '../byte-stream.js'
import { memoryCatalog } from '../catalog/memory-catalog.js'
import { parseCompression } from '../codec/parse-compression.js'
import { createRunContext, silentLogger } from '../run-context.js'
import { createFakeClock } from '../testing/fake-clock.js'
import type { MemoryDriverOptions } from '../testing/memory-driver.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { readBackups } from './read-backups.js'
import { type BackupRun, runBackup } from './run-backup.js'

async function* thenThrow(bytes: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield bytes
  throw error
}

describe('a backup', () => {
  it('writes both storages in one pass and commits each with the same manifest', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const offsite = memoryStorage({ name: 'offsite' })
    const made = await run(jobOn([disk, offsite]))
    expect(made).toMatchObject({ status: 'complete', manifest: { job: 'shop', database: 'shop', warnings: [] } })
    const keys = [`${made.base}.dump.zst`, `${made.base}.manifest.json`]
    expect(await keysOn(disk)).toEqual(keys)
    expect(await keysOn(offsite)).toEqual(keys)
    const [one, other] = await Promise.all(
      [disk, offsite].map((s) => readAll(s.get(keys[1] ?? '', undefined, createRunContext()))),
    )
    expect(one?.equals(other ?? Buffer.alloc(0))).toBe(true)
    const { backups } = await readBackups([disk, offsite], {}, memoryCatalog(), createRunContext())
    expect(backups).toMatchObject([
      { id: made.manifest.id, plainBytes: content.length, copies: [{ status: 'complete' }, { status: 'complete' }] },
    ])
  })

  it('keeps what the dump said: inventory, warnings, label', async () => {
    const storage = memoryStorage()
    const job = jobOn([storage], {}, { warnings: ['a table was empty'] })
    const made = await runBackup(job, { type: 'daily', label: 'before 2.0' }, setUp(), createRunContext())
    expect(made.status).toBe('complete_with_warnings')
    expect(made.manifest).toMatchObject({
      type: 'daily',
      label: 'before 2.0',
      warnings: ['a table was empty'],
      inventory: { level: 'counts', exact: true, tables: [{ name: 'bytes', rows: content.length }] },
      recover: expect.stringMatching(/^zstd -dc.* < shop_daily_.*\.dump\.zst \| cat$/),
    })
  })

  it('of several parts writes an object a part', async () => {
    const storage = memoryStorage()
    const parts = (): { name: string; body: ByteStream }[] => [
      { name: 'dump', body: streamOf(content) },
      { name: 'globals.sql', body: streamOf(Buffer.from('CREATE ROLE shop;')) },
    ]
    const made = await run(jobOn([storage], { codec: parseCompression('none') }, { parts }))
    expect(await keysOn(storage)).toEqual([
      `${made.base}.dump`,
      `${made.base}.globals.sql`,
      `${made.base}.manifest.json`,
    ])
    expect(made.manifest.parts.map(({ plainBytes }) => plainBytes)).toEqual([content.length, 17])
  })
})

describe('a dump that fails', () => {
  const failure = new BackupError('dump-failed', { message: 'pg_dump exited with code 1' })

  it.each<[string, Partial<MemoryDriverOptions>]>([
    ['midway', { parts: () => [{ name: 'dump', body: thenThrow(content, failure) }] }],
    ['after all output', { doneError: failure }],
    [
      'in its second part',
      {
        parts: () => [
          { name: 'dump', body: streamOf(content) },
          { name: 'globals.sql', body: thenThrow(content, failure) },
        ],
      },
    ],
  ])('%s publishes nothing and says why', async (_, driver) => {
    const storages = [memoryStorage({ name: 'disk' }), memoryStorage({ name: 'offsite' })]
    const deps = setUp()
    await expect(run(jobOn(storages, {}, driver), deps)).rejects.toBe(failure)
    for (const storage of storages) expect(await keysOn(storage)).toEqual([])
    expect(await deps.catalog.runs()).toMatchObject([{ status: 'failed', error: 'pg_dump exited with code 1' }])
  })

  it('without an error but without its end publishes nothing', async () => {
    const storage = memoryStorage()
    const parts = (): { name: string; trailer: string; body: ByteStream }[] => [
      { name: 'sql', trailer: '-- dump complete', body: streamOf(Buffer.from('CREATE TABLE a();\n')) },
    ]
    await expect(run(jobOn([storage], {}, { parts }))).rejects.toMatchObject({ code: 'dump-incomplete' })
    expect(await keysOn(storage)).toEqual([])
  })

  it('is not started when the database is not there or may not be read', async () => {
    const storage = memoryStorage()
    await expect(run(jobOn([storage], {}, { database: { content: undefined } }))).rejects.toMatchObject({
      code: 'source-missing',
    })
    const unreadable = Array.from({ length: 7 }, (_, n) => `public.t${n}`)
    await expect(run(jobOn([storage], {}, { unreadable }))).rejects.toThrow(
      'public.t0, public.t1, public.t2, public.t3, public.t4 and 2 more',
    )
    await expect(run(jobOn([storage], {}, { unreadable: ['public.secrets'] }))).rejects.toMatchObject({
      code: 'source-denied',
      message: expect.stringContaining('public.secrets'),
    })
    expect(await keysOn(storage)).toEqual([])
  })
})

describe('a storage that fails', () => {
  it('leaves the run partial, and the copy is filled in by the next run', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const offsite = memoryStorage({ name: 'offsite' })
    const broken = withPut(offsite, (key, body, options, ctx) =>
      key.endsWith('.zst') ? down() : offsite.put(key, body, options, ctx),
    )
    const deps = setUp()
    const first = await run(jobOn([disk, broken]), deps)
    expect(first.status).toBe('partial')
    expect(first.manifest.copies).toEqual([
      { storage: 'disk', status: 'complete' },
      { storage: 'offsite', status: 'failed' },
    ])
    expect(await keysOn(offsite)).toEqual([])

    const second = await run(jobOn([disk, offsite]), deps)
    expect(second).toMatchObject({ status: 'complete', filled: [{ base: first.base, from: 'disk', to: 'offsite' }] })
    expect(await keysOn(offsite)).toEqual(await keysOn(disk))
    const third = await run(jobOn([disk, offsite]), deps)
    expect(third.filled).toEqual([])
  })

  it('again when its copy is filled in fails no run, and is owed on', async () => {
    const [disk, offsite] = [memoryStorage({ name: 'disk' }), memoryStorage({ name: 'offsite' })]
    let first: BackupRun | undefined
    const broken = withPut(offsite, (key, body, options, ctx) =>
      key.endsWith('.zst') && (!first || key.startsWith(first.base)) ? down() : offsite.put(key, body, options, ctx),
    )
    first = await run(jobOn([disk, broken]))
    const lines: string[] = []
    const at = createRunContext({ log: { ...silentLogger, warn: (line) => lines.push(line) } })
    expect(await run(jobOn([disk, broken]), setUp(), at)).toMatchObject({ status: 'complete', filled: [] })
    expect(lines).toContainEqual(expect.stringMatching(/could not be filled in from disk: .*no route/))
    expect((await run(jobOn([disk, offsite]))).filled).toEqual([{ base: first.base, from: 'disk', to: 'offsite' }])
  })

  it('to take the manifest leaves data that the next run completes', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const offsite = memoryStorage({ name: 'offsite' })
    const broken = withPut(offsite, (key, body, options, ctx) =>
      key.endsWith('.manifest.json') ? down() : offsite.put(key, body, options, ctx),
    )
    const first = await run(jobOn([disk, broken]))
    expect(first.status).toBe('partial')
    const second = await run(jobOn([disk, offsite]))
    expect(second.filled).toEqual([{ base: first.base, from: 'disk', to: 'offsite' }])
  })

  it('does not get back what was deleted from it', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const offsite = memoryStorage({ name: 'offsite' })
    const first = await run(jobOn([disk, offsite]))
    for (const key of await keysOn(offsite)) await offsite.delete(key, createRunContext())
    const second = await run(jobOn([disk, offsite]))
    expect(second.filled).toEqual([])
    expect((await keysOn(offsite)).some((key) => key.startsWith(first.base))).toBe(false)
  })

  it('and leaves fewer copies than asked fails the run, and removes the others', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const broken = withPut(memoryStorage({ name: 'offsite' }), (key, body, options, ctx) =>
      key.endsWith('.zst') ? down() : memoryStorage().put(key, body, options, ctx),
    )
    await expect(run(jobOn([disk, broken], { minCopies: 2 }))).rejects.toMatchObject({
      code: expect.stringMatching(/too-few-copies|busy/),
    })
    expect(await keysOn(disk)).toEqual([])
  })

  it('before anything is written leaves the others at work', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const made = await run(jobOn([disk, withPut(memoryStorage({ name: 'offsite' }), down)]))
    expect(made.status).toBe('partial')
    await expect(run(jobOn([withPut(memoryStorage(), down)]))).rejects.toMatchObject({ code: 'unavailable' })
    const both = [withPut(memoryStorage({ name: 'a' }), down), withPut(memoryStorage({ name: 'b' }), down)]
    await expect(run(jobOn(both))).rejects.toMatchObject({
      code: 'too-few-copies',
      retryable: true,
      message: expect.stringContaining('b: no route'),
    })
  })

  it('to keep all bytes is not believed', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const lossy = withPut(disk, async (key, body, options, ctx) => {
      if (!key.endsWith('.zst')) return disk.put(key, body, options, ctx)
      const bytes = await readAll(body)
      return disk.put(key, streamOf(bytes.subarray(1)), options, ctx)
    })
    await expect(run(jobOn([lossy]))).rejects.toMatchObject({
      code: 'too-few-copies',
      message: expect.stringContaining('bytes'),
    })
    expect(await keysOn(disk)).toEqual([])
  })

  it('by hanging is given up after the stall timeout, and the others go on', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const offsite = memoryStorage({ name: 'offsite' })
    const hanging = withPut(offsite, (key, body, options, ctx) => {
      if (!key.endsWith('.dump')) return offsite.put(key, body, options, ctx)
      return new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
    })
    const clock = createFakeClock()
    const body = async function* (): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 40; sent++) yield randomBytes(1024 * 1024)
    }
    const job = jobOn(
      [disk, hanging],
      { stallTimeoutMs: 5_000, codec: parseCompression('none') },
      { parts: () => [{ name: 'dump', body: body() }] },
    )
    const running = run(job, setUp(), createRunContext({ clock }))
    let settled = false
    running.finally(() => (settled = true)).catch(() => {})
    await vi.waitUntil(() => clock.advance(1_000).then(() => settled), 20_000)
    expect(await running).toMatchObject({
      status: 'partial',
      copies: [{ status: 'complete' }, { error: { code: 'stalled' } }],
    })
  })
})

describe('a backup that is far smaller than the last ones', () => {
  it('says so', async () => {
    const storage = memoryStorage()
    const deps = setUp()
    for (let n = 0; n < 3; n++) expect((await run(jobOn([storage]), deps)).status).toBe('complete')
    const made = await run(jobOn([storage], {}, { database: { content: randomBytes(10_000) } }), deps)
    expect(made.status).toBe('complete_with_warnings')
    expect(made.manifest.warnings).toEqual([expect.stringContaining('wrong database')])
  })
})

describe('an abort', () => {
  it('rejects with its reason and leaves nothing', async () => {
    const storage = memoryStorage()
    const controller = new AbortController()
    const reason = new Error('enough')
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield content
      controller.abort(reason)
      yield content
    }
    const deps = setUp()
    const job = jobOn([storage], {}, { parts: () => [{ name: 'dump', body: body() }] })
    await expect(run(job, deps, createRunContext({ signal: controller.signal }))).rejects.toBe(reason)
    expect(await keysOn(storage)).toEqual([])
    expect(await deps.catalog.runs()).toMatchObject([{ status: 'aborted' }])
  })
})

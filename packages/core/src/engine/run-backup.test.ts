import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { BackupError } from '../backup-error.js'
import { type ByteStream, readAll, streamOf } from '../byte-stream.js'
import { memoryCatalog } from '../catalog/memory-catalog.js'
import { parseCompression } from '../codec/parse-compression.js'
import { wholeObjectLayout } from '../layout/whole-object-layout.js'
import { createRunContext, type RunContext } from '../run-context.js'
import type { PutOptions, Storage } from '../storage/storage.js'
import { createFakeClock } from '../testing/fake-clock.js'
import { type MemoryDriverOptions, memoryDriver } from '../testing/memory-driver.js'
import { memoryStorage } from '../testing/memory-storage.js'
import type { Job } from './job.js'
import { readBackups } from './read-backups.js'
import { type BackupRun, runBackup } from './run-backup.js'

const content = randomBytes(300_000)
const dayMs = 86_400_000

function jobOn(
  storages: readonly Storage[],
  changes: Partial<Job> = {},
  driver: Partial<MemoryDriverOptions> = {},
): Job {
  return {
    name: 'shop',
    source: memoryDriver({ name: 'shop', database: { content }, ...driver }),
    storages,
    minCopies: 1,
    codec: parseCompression('zstd'),
    dump: { inventory: 'counts' },
    stallTimeoutMs: 60_000,
    ...changes,
  }
}

const setUp = (catalog = memoryCatalog()): { catalog: typeof catalog; layout: typeof wholeObjectLayout } => ({
  catalog,
  layout: wholeObjectLayout,
})

function run(job: Job, deps = setUp(), ctx: RunContext = createRunContext()): Promise<BackupRun> {
  return runBackup(job, { type: 'manual' }, deps, ctx)
}

/** Everything on a storage but its identity. */
async function keysOn(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list('', createRunContext())) if (key !== '.holdfast/storage.json') keys.push(key)
  return keys.sort()
}

/** The storage with another `put`, which may fall back on the true one. */
function withPut(
  storage: Storage,
  put: (key: string, body: ByteStream, options: PutOptions, ctx: RunContext) => ReturnType<Storage['put']>,
): Storage {
  return { ...storage, put }
}

const down = (): Promise<never> =>
  Promise.reject(new BackupError('unavailable', { message: 'no route to storage', retryable: true }))

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
    const { backups } = await readBackups([disk, offsite], {}, createRunContext())
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
    while (!settled) await clock.advance(1_000)
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

describe('the commit', () => {
  const readLease = (inner: Storage, fail: () => never): Storage => {
    let reads = 0
    // The first read of the lease is the claim's own; the second is the fence.
    const get: Storage['get'] = (key, range, ctx) =>
      key.includes('leases') && ++reads === 2 ? fail() : inner.get(key, range, ctx)
    return { ...inner, get }
  }

  it('goes on on one storage when the fence of another cannot be read', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const offsite = memoryStorage({ name: 'offsite' })
    const broken = readLease(offsite, () => {
      throw new BackupError('unavailable', { message: 'down', retryable: true })
    })
    for (const storages of [
      [disk, broken],
      [broken, disk],
    ]) {
      expect((await run(jobOn(storages))).copies.find(({ storage }) => storage.name === 'disk')?.status).toBe(
        'complete',
      )
    }
    expect((await readBackups([disk], {}, createRunContext())).backups).toHaveLength(2)
  })

  it('that is aborted before the first manifest leaves nothing', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const controller = new AbortController()
    const reason = new Error('enough')
    const report: RunContext['report'] = (event) => {
      if (event.type === 'stage' && event.stage === 'commit') controller.abort(reason)
    }
    await expect(run(jobOn([disk]), setUp(), createRunContext({ signal: controller.signal, report }))).rejects.toBe(
      reason,
    )
    expect(await keysOn(disk)).toEqual([])
  })

  it('whose manifest fails everywhere takes the data back, and the manifest should it have landed', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const landed = withPut(disk, async (key, body, options, ctx) => {
      const stored = await disk.put(key, body, options, ctx)
      return key.endsWith('.manifest.json') ? down() : stored
    })
    await expect(run(jobOn([landed]))).rejects.toMatchObject({ code: 'too-few-copies' })
    expect(await keysOn(disk)).toEqual([])
  })
})

describe('a copy that was whole before the run was aborted', () => {
  it('is removed', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const controller = new AbortController()
    const inner = memoryStorage({ name: 'offsite' })
    const offsite = withPut(inner, async (key, body, options, ctx) => {
      if (!key.endsWith('.zst')) return inner.put(key, body, options, ctx)
      for await (const _ of body);
      await expect.poll(() => keysOn(disk)).toContainEqual(expect.stringContaining('.zst'))
      controller.abort(new Error('enough'))
      throw ctx.signal.reason
    })
    const job = jobOn([disk, offsite])
    await expect(run(job, setUp(), createRunContext({ signal: controller.signal }))).rejects.toThrow('enough')
    expect(await keysOn(disk)).toEqual([])
  })
})

describe('a catalog that fails at the end', () => {
  it('does not turn a backup into a failure, nor hide why one failed', async () => {
    const catalog = { ...memoryCatalog(), finish: async () => Promise.reject(new Error('disk full')) }
    const storage = memoryStorage()
    expect((await run(jobOn([storage]), { catalog, layout: wholeObjectLayout })).status).toBe('complete')
    const failure = new Error('dump failed')
    const failing = run(jobOn([storage], {}, { doneError: failure }), { catalog, layout: wholeObjectLayout })
    await expect(failing).rejects.toBe(failure)
  })
})

describe('a run that another overtakes', () => {
  it('commits nothing, and takes its data back', async () => {
    const disk = memoryStorage({ name: 'disk' })
    const lease = '.holdfast/leases/shop.json'
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield content
      await disk.put(lease, streamOf(Buffer.from(JSON.stringify({ run: 'other' }))), {}, createRunContext())
    }
    const job = jobOn([disk], {}, { parts: () => [{ name: 'dump', body: body() }] })
    await expect(run(job)).rejects.toMatchObject({ code: 'lease-lost' })
    expect(await keysOn(disk)).toEqual([lease])
  })

  it('is told that another is at work', async () => {
    const [disk, offsite] = [memoryStorage({ name: 'disk' }), memoryStorage({ name: 'offsite' })]
    let overlapping: Promise<unknown> | undefined
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield content
      overlapping = run(jobOn([offsite, disk]))
      await overlapping.catch(() => {})
    }
    await run(jobOn([disk], {}, { parts: () => [{ name: 'dump', body: body() }] }))
    await expect(overlapping).rejects.toMatchObject({ code: 'busy' })
    expect(await keysOn(offsite)).toEqual([])
  })
})

describe('the identity of a storage', () => {
  it('that was lost stops the run before anything is written', async () => {
    const deps = setUp()
    await run(jobOn([memoryStorage({ name: 'disk' })]), deps)
    const unmounted = memoryStorage({ name: 'disk' })
    await expect(run(jobOn([unmounted]), deps)).rejects.toMatchObject({ code: 'storage-identity' })
    expect(await keysOn(unmounted)).toEqual([])
  })

  it('of another storage stops it too', async () => {
    const deps = setUp()
    await run(jobOn([memoryStorage({ name: 'disk' })]), deps)
    const other = memoryStorage({ name: 'disk' })
    await run(jobOn([other]))
    await expect(run(jobOn([other]), deps)).rejects.toMatchObject({
      code: 'storage-identity',
      message: expect.stringContaining('another'),
    })
  })

  it('that cannot be read stops it, and is not overwritten', async () => {
    const storage = memoryStorage()
    for (const text of ['not json', '{}']) {
      await storage.put('.holdfast/storage.json', streamOf(Buffer.from(text)), {}, createRunContext())
      await expect(run(jobOn([storage]))).rejects.toMatchObject({ code: 'storage-identity' })
    }
  })
})

describe('cleaning up', () => {
  it('removes what crashed runs left once it is a week old, and nothing else', async () => {
    const clock = createFakeClock(new Date('2026-03-20T00:00:00Z'))
    const storage = memoryStorage()
    const put = (key: string): Promise<unknown> =>
      storage.put(key, streamOf(Buffer.from('x')), {}, createRunContext({ clock }))
    const orphan = 'shop/2026/03/shop_manual_20260320_000000_0123abcd.dump.zst'
    const foreign = [
      'shop/2026/03/notes.txt',
      'shop/readme',
      'crm/2026/03/crm_manual_20260320_000000_0123abcd.dump.zst',
    ]
    for (const key of [orphan, ...foreign]) await put(key)
    await run(jobOn([storage]), setUp(), createRunContext({ clock }))
    expect(await keysOn(storage)).toContain(orphan)
    await clock.advance(8 * dayMs)
    await run(jobOn([storage]), setUp(), createRunContext({ clock }))
    const keys = await keysOn(storage)
    expect(keys).not.toContain(orphan)
    expect(keys).toEqual(expect.arrayContaining(foreign))
    expect(keys.filter((key) => key.endsWith('.manifest.json'))).toHaveLength(2)
  })

  it('that fails does not fail the backup', async () => {
    const storage = memoryStorage()
    const unlistable: Storage = {
      ...storage,
      list: () => {
        throw new BackupError('unavailable', { message: 'no listing today' })
      },
    }
    expect(await run(jobOn([unlistable]))).toMatchObject({ status: 'complete', filled: [] })
  })
})

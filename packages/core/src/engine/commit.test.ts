import { describe, expect, it } from 'vitest'
import { content, down, jobOn, keysOn, run, setUp, withPut } from '../../test/engine.js'
import { BackupError } from '../backup-error.js'
import { streamOf } from '../byte-stream.js'
import { memoryCatalog } from '../catalog/memory-catalog.js'
import { wholeObjectLayout } from '../layout/whole-object-layout.js'
import { createRunContext, type RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { createFakeClock } from '../testing/fake-clock.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { readBackups } from './read-backups.js'
import { runBackup } from './run-backup.js'

const dayMs = 86_400_000

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
    expect((await readBackups([disk], {}, memoryCatalog(), createRunContext())).backups).toHaveLength(2)
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

  it.each([
    ['has lost', undefined],
    ['has changed', 1],
  ])('is not of a storage that %s the data since', async (what, size) => {
    const [disk, offsite] = [memoryStorage({ name: 'disk' }), memoryStorage({ name: 'offsite' })]
    const stat: Storage['stat'] = async (key, ctx) => {
      const found = await offsite.stat(key, ctx)
      if (!found || !key.endsWith('.zst')) return found
      return size === undefined ? undefined : { ...found, size }
    }
    const { status, copies } = await run(jobOn([disk, { ...offsite, stat }]))
    expect([status, copies.map((copy) => copy.status)]).toEqual(['partial', ['complete', 'failed']])
    expect(copies[1]).toMatchObject({ error: { code: 'corrupt', message: expect.stringContaining(what) } })
    expect((await readBackups([offsite], {}, memoryCatalog(), createRunContext())).backups).toEqual([])
  })

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('costs the copy alone whose lease another run has taken: %s, %s', async (...order) => {
    const [disk, offsite] = [memoryStorage({ name: 'disk' }), memoryStorage({ name: 'offsite' })]
    const taken = readLease(offsite, () => {
      throw new BackupError('not-found', { message: 'its lease is gone' })
    })
    const { status, copies } = await run(jobOn(order[0] === 'a' ? [disk, taken] : [taken, disk]))
    expect(status).toBe('partial')
    expect(copies.find(({ storage }) => storage === taken)).toMatchObject({ error: { code: 'lease-lost' } })
    expect((await readBackups([disk], {}, memoryCatalog(), createRunContext())).backups).toHaveLength(1)
    const alone = readLease(memoryStorage(), () => {
      throw new BackupError('not-found', { message: 'its lease is gone' })
    })
    await expect(run(jobOn([alone]))).rejects.toMatchObject({ code: 'lease-lost' })
    expect(await keysOn(alone)).toEqual([])
  })

  it.each([
    ['type', { type: 'nightly' as 'daily' }],
    ['label', { type: 'daily' as const, label: 42 as unknown as string }],
  ])('makes no backup that no reader would accept: %s', async (what, request) => {
    const disk = memoryStorage()
    const refused = { code: 'internal', message: expect.stringContaining(`${what}: `) }
    await expect(runBackup(jobOn([disk]), request, setUp(), createRunContext())).rejects.toMatchObject(refused)
    expect(await keysOn(disk)).toEqual([])
  })

  it('that cannot take a manifest back leaves its data too', async () => {
    const inner = memoryStorage()
    const stored = withPut(inner, async (key, body, options, ctx) => {
      const object = await inner.put(key, body, options, ctx)
      if (key.endsWith('.manifest.json')) throw down
      return object
    })
    const stuck: Storage = {
      ...stored,
      delete: (key, ctx) => (key.endsWith('.manifest.json') ? Promise.reject(down) : inner.delete(key, ctx)),
    }
    await expect(run(jobOn([stuck]))).rejects.toMatchObject({ code: 'too-few-copies' })
    const { backups } = await readBackups([inner], {}, memoryCatalog(), createRunContext())
    expect(backups.map(({ copies }) => copies)).toMatchObject([[{ status: 'complete' }]])
  })

  it('without enough copies says why, whatever it was', async () => {
    const broken = withPut(memoryStorage(), () => Promise.reject(new Error('no idea')))
    await expect(run(jobOn([broken]))).rejects.toThrow('no idea')
    const inner = memoryStorage({ name: 'half' })
    const half = withPut(inner, async (key, body, options, ctx) => {
      if (!key.endsWith('.zst')) return inner.put(key, body, options, ctx)
      throw new Error('the plug was pulled')
    })
    await expect(run(jobOn([half]))).rejects.toThrow('the plug was pulled')
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
      await expect.poll(() => keysOn(disk), { timeout: 20_000 }).toContainEqual(expect.stringContaining('.zst'))
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
    expect((await run(jobOn([storage]), setUp(catalog))).status).toBe('complete')
    const failure = new Error('dump failed')
    const failing = run(jobOn([storage], {}, { doneError: failure }), setUp(catalog))
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

  it('does not remove data whose manifest came since they were listed', async () => {
    const clock = createFakeClock(new Date('2026-03-20T00:00:00Z'))
    const storage = memoryStorage()
    const at = createRunContext({ clock })
    const { base } = await run(jobOn([storage]), setUp(), at)
    await clock.advance(8 * dayMs)
    const list: Storage['list'] = async function* (prefix, ctx) {
      for await (const object of storage.list(prefix, ctx)) if (!object.key.endsWith('.manifest.json')) yield object
    }
    const before = { jobs: ['shop'], before: clock.now() }
    expect(await wholeObjectLayout.sweep({ ...storage, list }, before, at)).toEqual({ keys: [], bytes: 0 })
    expect(await keysOn(storage)).toContain(`${base}.manifest.json`)
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

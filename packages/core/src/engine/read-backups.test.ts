import { describe, expect, it } from 'vitest'
import { jobOn, run, setUp } from '../../test/engine.js'
import { BackupError } from '../backup-error.js'
import { streamOf } from '../byte-stream.js'
import { memoryCatalog } from '../catalog/memory-catalog.js'
import { encodeManifest } from '../layout/manifest-file.js'
import { manifestKey, safeName } from '../layout/object-names.js'
import { createRunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { createFakeClock } from '../testing/fake-clock.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { readBackups } from './read-backups.js'
import { writeVerification } from './verification.js'

const ctx = createRunContext()
const tested = {
  status: 'proven',
  on: 'memory:shop',
  serverVersion: '1',
  restoreMs: 1,
  durationMs: 2,
  sections: 3,
  differences: [],
  failedAssertions: [],
  notes: [],
} as const
const down = new BackupError('unavailable', { message: 'no route', retryable: true })

describe('what the storages hold', () => {
  it('is one record for a backup on several, newest first, of one job where that is asked for', async () => {
    const [disk, offsite] = [memoryStorage({ name: 'disk' }), memoryStorage({ name: 'offsite' })]
    const clock = createFakeClock()
    const at = createRunContext({ clock })
    const first = await run(jobOn([disk, offsite]), setUp(), at)
    const same = await run(jobOn([disk], { name: 'shop-2' }), setUp(), at)
    await clock.advance(1000)
    const last = await run(jobOn([disk]), setUp(), at)
    const { backups } = await readBackups([disk, offsite], {}, memoryCatalog(), ctx)
    const sameTime = [first.manifest.id, same.manifest.id].sort().reverse()
    expect(backups.map(({ id }) => id)).toEqual([last.manifest.id, ...sameTime])
    expect(backups.find(({ id }) => id === first.manifest.id)?.copies).toHaveLength(2)
    expect((await readBackups([disk], { job: 'shop' }, memoryCatalog(), ctx)).backups.map(({ job }) => job)).toEqual([
      'shop',
      'shop',
    ])
  })

  it('is that of one job, though another has a name that looks the same in keys', async () => {
    const disk = memoryStorage()
    await run(jobOn([disk], { name: 'the shop' }))
    await run(jobOn([disk], { name: safeName('the shop') }))
    const jobs = async (job?: string): Promise<string[]> =>
      (await readBackups([disk], { job }, memoryCatalog(), ctx)).backups.map((backup) => backup.job)
    expect([(await jobs()).length, await jobs('the shop')]).toEqual([2, ['the shop']])
  })

  it('carries what verifications of the copies found, each the latest', async () => {
    const storages = ['a', 'b', 'c'].map((name) => memoryStorage({ name }))
    const { base, manifest } = await run(jobOn(storages))
    // A codec that reads by descriptor leaves no plain bytes to be counted.
    const parts = manifest.parts.map(({ plainBytes: _, plainSha256: __, ...part }) => part)
    const found = { id: manifest.id, parts: [{ name: 'dump', plainBytes: 9, plainSha256: 'x' }] }
    const days = ['2026-03-02', '2026-03-03', '2026-03-01'].map((day) => `${day}T00:00:00Z`)
    for (const [index, storage] of storages.entries()) {
      await storage.put(manifestKey(base), streamOf(encodeManifest({ ...manifest, parts })), {}, ctx)
      const [verifiedAt = '', testedAt = ''] = [days[index], days[2 - index]]
      const status = index === 1 ? 'corrupt' : 'intact'
      await writeVerification(storage, base, { ...found, verifiedAt, status, test: { ...tested, testedAt } }, ctx)
    }
    const [backup] = (await readBackups(storages, {}, memoryCatalog(), ctx)).backups
    expect(backup).toMatchObject({
      plainBytes: 9,
      verifiedAt: new Date('2026-03-02'),
      test: { testedAt: '2026-03-03T00:00:00Z' },
      copies: [{ status: 'complete' }, { status: 'corrupt', problem: 'damaged' }, { status: 'complete' }],
    })
  })

  it('knows no size of what was verified as stored alone, for want of a key', async () => {
    const disk = memoryStorage()
    const { base, manifest } = await run(jobOn([disk]))
    const parts = manifest.parts.map(({ plainBytes: _, plainSha256: __, ...part }) => part)
    await disk.put(manifestKey(base), streamOf(encodeManifest({ ...manifest, parts })), {}, ctx)
    const verifiedAt = '2026-03-02T00:00:00Z'
    await writeVerification(disk, base, { id: manifest.id, verifiedAt, status: 'intact', parts: [] }, ctx)
    const [backup] = (await readBackups([disk], {}, memoryCatalog(), ctx)).backups
    expect(backup).toMatchObject({ verifiedAt: new Date(verifiedAt) })
    expect(backup).not.toHaveProperty('plainBytes')
  })

  it('does without a verification that cannot be read, but not without the storage', async () => {
    const disk = memoryStorage()
    const { base } = await run(jobOn([disk]))
    const key = `${base}.verified.json`
    await disk.put(key, streamOf(Buffer.alloc(2 ** 21)), {}, ctx)
    const copies = async (storage: Storage): Promise<unknown> =>
      (await readBackups([storage], {}, memoryCatalog(), ctx)).backups.map((backup) => backup.copies)
    const failing = (error: Error): Storage => ({
      ...disk,
      get(at, ...rest) {
        if (at === key) throw error
        return disk.get(at, ...rest)
      },
    })
    const unverified = [[{ storage: 'memory', status: 'complete', isPinned: false }]]
    expect(await copies(disk)).toEqual(unverified)
    expect(await copies(failing(new BackupError('not-found', { message: 'deleted' })))).toEqual(unverified)
    await expect(copies(failing(down))).rejects.toBe(down)
  })

  it('leaves out what was deleted since it was listed', async () => {
    const disk = memoryStorage()
    const { base } = await run(jobOn([disk]))
    const get: Storage['get'] = (key, ...rest) => disk.get(key.startsWith(base) ? `${key}.gone` : key, ...rest)
    expect(await readBackups([{ ...disk, get }], {}, memoryCatalog(), ctx)).toEqual({
      backups: [],
      damaged: [],
      unreachable: [],
    })
  })

  it('is not fewer because a storage answers no more in the middle', async () => {
    const [disk, offsite] = [memoryStorage({ name: 'disk' }), memoryStorage({ name: 'offsite' })]
    await run(jobOn([disk, offsite]))
    const get: Storage['get'] = () => {
      throw down
    }
    const half = await readBackups([disk, { ...offsite, get }], {}, memoryCatalog(), ctx)
    expect(half.unreachable).toEqual([{ storage: 'offsite', error: down }])
    expect(half.backups).toHaveLength(1)
    await expect(readBackups([{ ...offsite, get }], {}, memoryCatalog(), ctx)).rejects.toBe(down)
  })

  it('is not none because another storage, or none, is where one was', async () => {
    const [disk, offsite] = [memoryStorage({ name: 'disk' }), memoryStorage({ name: 'offsite' })]
    const deps = setUp()
    await run(jobOn([disk, offsite]), deps)
    const swapped = memoryStorage({ name: 'offsite' })
    const lost = { code: 'storage-identity', message: expect.stringContaining('has lost') }
    const half = await readBackups([disk, swapped], {}, deps.catalog, ctx)
    expect(half).toMatchObject({ unreachable: [{ storage: 'offsite', error: lost }], backups: [{ copies: [{}] }] })
    await expect(readBackups([swapped], {}, deps.catalog, ctx)).rejects.toMatchObject(lost)
  })

  it('throws the reason of an abort, and calls nothing damaged for it', async () => {
    const disk = memoryStorage()
    await run(jobOn([disk]))
    const controller = new AbortController()
    const reason = new Error('enough')
    const get: Storage['get'] = () => {
      controller.abort(reason)
      throw reason
    }
    const at = createRunContext({ signal: controller.signal })
    await expect(readBackups([{ ...disk, get }], {}, memoryCatalog(), at)).rejects.toBe(reason)
  })

  it('names a copy whose data is gone or has another size', async () => {
    const disk = memoryStorage()
    const { manifest } = await run(jobOn([disk]))
    const key = manifest.parts[0]?.key ?? ''
    await disk.put(key, streamOf(Buffer.from('short')), {}, ctx)
    const problem = async (): Promise<unknown> =>
      (await readBackups([disk], {}, memoryCatalog(), ctx)).backups[0]?.copies
    expect(await problem()).toMatchObject([{ status: 'missing', problem: expect.stringContaining('has 5 of') }])
    await disk.delete(key, ctx)
    expect(await problem()).toMatchObject([{ status: 'missing', problem: `${key} is gone` }])
  })
})

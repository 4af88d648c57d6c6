import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext, systemClock } from '../run-context.js'
import { createFakeClock } from '../testing/fake-clock.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { storageCasePrefix, storageContract } from '../testing/storage-contract.js'
import { rateLimited } from './rate-limited-storage.js'

const GiB = 1024 ** 3

describe('rateLimited keeps the contract', () => {
  // Pauses of less than a microsecond, which a real timer would make a millisecond each.
  const ctx = createRunContext({ clock: { ...systemClock, sleep: async () => {} } })
  for (const { name, run } of storageContract.filter(({ heavy }) => !heavy)) {
    const storage = rateLimited(memoryStorage(), { uploadBytesPerSecond: 64 * GiB, downloadBytesPerSecond: 64 * GiB })
    it(name, () => run({ storage, prefix: storageCasePrefix(), ctx }))
  }
})

describe('rateLimited', () => {
  it('lets no more bytes up and down than it may, over all streams together', async () => {
    const clock = createFakeClock()
    const ctx = createRunContext({ clock })
    const storage = rateLimited(memoryStorage(), { uploadBytesPerSecond: 1000, downloadBytesPerSecond: 500 })
    const up = Promise.all(['a', 'b'].map((key) => storage.put(key, streamOf(Buffer.alloc(1000)), {}, ctx)))
    const upAt = up.then(() => clock.monotonic())
    await clock.advance(2000)
    expect(await upAt).toBe(2000)
    const down = Promise.all(['a', 'b'].map((key) => readAll(storage.get(key, undefined, ctx))))
    const downAt = down.then(() => clock.monotonic())
    await clock.advance(4000)
    expect(await downAt).toBe(6000)
    expect((await down).map((bytes) => bytes.byteLength)).toEqual([1000, 1000])
  })

  it('leaves a direction without a rate alone', async () => {
    const clock = createFakeClock()
    const ctx = createRunContext({ clock })
    const storage = rateLimited(memoryStorage(), {})
    await storage.put('a', streamOf(Buffer.alloc(1_000_000)), {}, ctx)
    expect((await readAll(storage.get('a', undefined, ctx))).byteLength).toBe(1_000_000)
    expect(clock.monotonic()).toBe(0)
  })

  it('refuses a rate that lets nothing through', () => {
    expect(() => rateLimited(memoryStorage(), { uploadBytesPerSecond: 0 })).toThrow(RangeError)
    expect(() => rateLimited(memoryStorage(), { downloadBytesPerSecond: Number.NaN })).toThrow(RangeError)
  })
})

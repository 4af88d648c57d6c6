import { describe, expect, it } from 'vitest'
import { BackupError } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext, type RunContext } from '../run-context.js'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.js'
import { collect } from '../testing/faults/stream-faults.js'
import { faultyStorage } from '../testing/faulty-storage.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { storageCasePrefix, storageContract } from '../testing/storage-contract.js'
import { retrying } from './retrying-storage.js'
import type { Storage } from './storage.js'

const always = { random: () => 1 } // the longest wait there can be

/** A context whose clock runs by itself: whoever sleeps is woken at once, and the time has passed. */
function timeLapse(signal?: AbortSignal): { ctx: RunContext; clock: FakeClock; waits: number[]; warnings: string[] } {
  const clock = createFakeClock()
  const waits: number[] = []
  const warnings: string[] = []
  const sleep: FakeClock['sleep'] = async (ms, ownSignal) => {
    ownSignal.throwIfAborted()
    waits.push(ms)
    await clock.advance(ms)
  }
  const log = { debug() {}, info() {}, error() {}, warn: (message: string) => void warnings.push(message) }
  const ctx = createRunContext({ clock: { ...clock, sleep }, log, ...(signal && { signal }) })
  return { ctx, clock, waits, warnings }
}

async function holding(...keys: string[]): Promise<Storage> {
  const storage = memoryStorage()
  for (const key of keys) await storage.put(key, streamOf(Buffer.from(key)), {}, createRunContext())
  return storage
}

async function keysOf(storage: Storage, ctx: RunContext): Promise<string[]> {
  return (await collect(storage.list('', ctx))).map(({ key }) => key)
}

describe('retrying keeps the contract', () => {
  for (const { name, run } of storageContract.filter(({ heavy }) => !heavy)) {
    const env = { prefix: storageCasePrefix(), ctx: createRunContext() }
    it(name, () => run({ ...env, storage: retrying(memoryStorage()) }))
  }
})

describe('retrying', () => {
  it('tries stat, delete, list and get again until they succeed', async () => {
    for (const on of ['stat', 'delete', 'list', 'get'] as const) {
      const { ctx, waits, warnings } = timeLapse()
      const broken = faultyStorage(await holding('a', 'b'), [{ on, fault: { kind: 'error-before' }, nth: [1, 2, 3] }])
      const storage = retrying(broken, always)
      if (on === 'stat') expect((await storage.stat('a', ctx))?.size).toBe(1)
      if (on === 'delete') await storage.delete('a', ctx)
      if (on === 'list') expect(await keysOf(storage, ctx)).toEqual(['a', 'b'])
      if (on === 'get') expect((await readAll(storage.get('a', undefined, ctx))).toString()).toBe('a')
      expect(waits).toEqual([200, 400, 800])
      expect(warnings).toHaveLength(3)
      expect(broken.injected).toHaveLength(3)
    }
  })

  it('waits a random time, never longer than the cap', async () => {
    const { ctx, waits } = timeLapse()
    const broken = faultyStorage(memoryStorage(), [{ on: 'stat', fault: { kind: 'error-before' } }])
    const storage = retrying(broken, { retries: 6, baseMs: 100, capMs: 1000, random: () => 0.5 })
    await expect(storage.stat('a', ctx)).rejects.toMatchObject({ code: 'unavailable' })
    expect(waits).toEqual([50, 100, 200, 400, 500, 500])
  })

  it('jitters by itself', async () => {
    const { ctx, waits } = timeLapse()
    const broken = faultyStorage(memoryStorage(), [{ on: 'stat', fault: { kind: 'error-before' } }])
    await expect(retrying(broken, { retries: 20, capMs: 300 }).stat('a', ctx)).rejects.toThrow()
    expect(new Set(waits).size).toBeGreaterThan(10)
    expect(Math.max(...waits)).toBeLessThanOrEqual(300)
  })

  it('stops when the budget of time is spent', async () => {
    const { ctx, clock } = timeLapse()
    const broken = faultyStorage(memoryStorage(), [{ on: 'stat', fault: { kind: 'error-before' } }])
    const storage = retrying(broken, { ...always, retries: 1000, baseMs: 1000, capMs: 1000, budgetMs: 5000 })
    await expect(storage.stat('a', ctx)).rejects.toMatchObject({ code: 'unavailable' })
    expect(clock.monotonic()).toBe(5000)
    expect(broken.injected).toHaveLength(6)
  })

  it('throws at once what trying again cannot cure', async () => {
    for (const error of [new BackupError('storage-denied', { message: 'no' }), new Error('a defect'), 'odd']) {
      const { ctx, waits } = timeLapse()
      const broken = faultyStorage(memoryStorage(), [{ on: 'stat', fault: { kind: 'error-before', error } }])
      await expect(retrying(broken).stat('a', ctx)).rejects.toBe(error)
      expect(waits).toEqual([])
    }
  })

  it('does not begin a list or a read anew once something was yielded', async () => {
    const { ctx, waits } = timeLapse()
    const broken = faultyStorage(await holding('a', 'b'), [
      { on: 'list', fault: { kind: 'error-midway', after: 1 } },
      { on: 'get', fault: { kind: 'error-midway', after: 1 } },
    ])
    const storage = retrying(broken, always)
    const seen: string[] = []
    const listing = (async () => {
      for await (const { key } of storage.list('', ctx)) seen.push(key)
    })()
    await expect(listing).rejects.toMatchObject({ code: 'unavailable' })
    expect(seen).toEqual(['a'])
    await expect(readAll(storage.get('a', undefined, ctx))).rejects.toMatchObject({ code: 'unavailable' })
    expect(waits).toEqual([])
  })

  it('never tries a put again', async () => {
    const { ctx, waits } = timeLapse()
    const broken = faultyStorage(memoryStorage(), [{ on: 'put', fault: { kind: 'error-before' } }])
    await expect(retrying(broken).put('a', streamOf(), {}, ctx)).rejects.toMatchObject({ code: 'unavailable' })
    expect(waits).toEqual([])
    expect(broken.injected).toHaveLength(1)
  })

  it('rethrows the reason of an abort, during a wait and instead of one', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const clock = createFakeClock()
    const ctx = createRunContext({ clock, signal: controller.signal })
    const broken = faultyStorage(memoryStorage(), [{ on: 'stat', fault: { kind: 'error-before' } }])
    const looking = retrying(broken, always).stat('a', ctx)
    looking.catch(() => {})
    await clock.advance(10)
    expect(clock.sleepers).toBe(1)
    controller.abort(reason)
    await expect(looking).rejects.toBe(reason)
    await expect(retrying(memoryStorage()).stat('a', ctx)).rejects.toBe(reason)
  })

  it('has the optional methods of the storage within, and no other', async () => {
    const { ctx } = timeLapse()
    const plain = retrying(memoryStorage())
    expect([plain.freeSpace, plain.sweepUnfinished, plain.close]).toEqual([undefined, undefined, undefined])
    const able = retrying({ ...memoryStorage({ name: 'disk' }), freeSpace: async () => 7 })
    expect(await able.freeSpace?.(ctx)).toBe(7)
    expect(able.name).toBe('disk')
  })
})

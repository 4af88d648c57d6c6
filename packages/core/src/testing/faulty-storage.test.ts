import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext, type RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { createFakeClock } from './fake-clock.js'
import type { FaultRule } from './faults/choose-fault.js'
import { type Fault, type FaultKind, faultsOf, type StorageOperation, storageOperations } from './faults/fault.js'
import { collect } from './faults/stream-faults.js'
import { type FaultyStorage, faultyStorage } from './faulty-storage.js'
import { memoryStorage } from './memory-storage.js'
import { storageCasePrefix, storageContract } from './storage-contract.js'

const ctx = createRunContext()
const chunks = [Buffer.from('abcd'), Buffer.from('efgh'), Buffer.alloc(0), Buffer.from('ij')]
const body = (): AsyncIterable<Uint8Array> => streamOf(...chunks)

/** In memory, but a get yields the chunks of {@link body}, so that faults have something to take hold of. */
async function chunked(): Promise<Storage> {
  const inner = memoryStorage()
  await inner.put('key', body(), {}, ctx)
  const get: Storage['get'] = (key, range, own) => (key === 'key' ? body() : inner.get(key, range, own))
  return { ...inner, get }
}

async function withFault(rule: FaultRule): Promise<{ inner: Storage; storage: FaultyStorage }> {
  const inner = await chunked()
  return { inner, storage: faultyStorage(inner, [rule]) }
}

const read = async (storage: Storage, key = 'key', own = ctx): Promise<string> =>
  (await readAll(storage.get(key, undefined, own))).toString()

/** What a stream yields until it ends or throws. */
async function untilItThrows<Item>(stream: AsyncIterable<Item>): Promise<{ items: Item[]; error?: unknown }> {
  const items: Item[] = []
  try {
    for await (const item of stream) items.push(item)
    return { items }
  } catch (error) {
    return { items, error }
  }
}

const text = (items: readonly Uint8Array[]): string => Buffer.concat(items).toString()

describe('faultyStorage without a fault keeps the contract', () => {
  for (const { name, run } of storageContract.filter(({ heavy }) => !heavy)) {
    const env = { prefix: storageCasePrefix(), ctx }
    it(name, () => run({ ...env, storage: faultyStorage(memoryStorage(), []) }))
  }
})

describe('faults in a get', () => {
  const faults: [Fault, string, string?][] = [
    [{ kind: 'error-before' }, '', 'unavailable'],
    [{ kind: 'error-after' }, 'abcdefghij', 'unavailable'],
    [{ kind: 'error-midway' }, 'a', 'unavailable'],
    [{ kind: 'error-midway', after: 6 }, 'abcdef', 'unavailable'],
    [{ kind: 'error-midway', after: 0 }, '', 'unavailable'],
    [{ kind: 'short' }, 'abcdefghi'],
    [{ kind: 'short', keep: 4 }, 'abcd'],
    [{ kind: 'short', keep: 0 }, ''],
    [{ kind: 'corrupt' }, '`bcdefghij'],
    [{ kind: 'corrupt', at: 5 }, 'abcdegghij'],
    [{ kind: 'corrupt', at: 999 }, 'abcdefghik'],
    [{ kind: 'reorder' }, 'efghabcdij'],
    [{ kind: 'duplicate' }, 'abcdabcdefghij'],
  ]
  for (const [fault, expected, code] of faults) {
    it(JSON.stringify(fault), async () => {
      const { storage } = await withFault({ on: 'get', fault })
      const { items, error } = await untilItThrows(storage.get('key', undefined, ctx))
      expect(text(items)).toBe(expected)
      if (code) expect(error).toMatchObject({ code, retryable: true })
      else expect(error).toBeUndefined()
      expect(storage.injected).toEqual([{ operation: 'get', key: 'key', fault }])
    })
  }

  it('a short read of one byte, or of none, is empty', async () => {
    const inner = memoryStorage()
    await inner.put('one', streamOf(Buffer.from('x')), {}, ctx)
    await inner.put('none', streamOf(), {}, ctx)
    for (const key of ['one', 'none']) {
      expect(await read(faultyStorage(inner, [{ on: 'get', fault: { kind: 'short' } }]), key)).toBe('')
    }
    expect(await read(faultyStorage(inner, [{ on: 'get', fault: { kind: 'corrupt' } }]), 'none')).toBe('')
    expect(await read(faultyStorage(inner, [{ on: 'get', fault: { kind: 'reorder' } }]), 'none')).toBe('')
  })

  it('a single chunk is cut in two to be reordered', async () => {
    const inner = memoryStorage()
    await inner.put('single', streamOf(Buffer.from('12345')), {}, ctx)
    expect(await read(faultyStorage(inner, [{ on: 'get', fault: { kind: 'reorder' } }]), 'single')).toBe('45123')
  })
})

describe('faults in a put', () => {
  const faults: [Fault, string | undefined, string?][] = [
    [{ kind: 'error-before' }, undefined, 'unavailable'],
    [{ kind: 'error-after' }, 'abcdefghij', 'unavailable'],
    [{ kind: 'error-midway', after: 5 }, undefined, 'unavailable'],
    [{ kind: 'short' }, 'abcdefghi'],
    [{ kind: 'short', keep: 3 }, 'abc'],
    [{ kind: 'corrupt', at: 1 }, 'accdefghij'],
    [{ kind: 'reorder' }, 'efghabcdij'],
    [{ kind: 'duplicate' }, 'abcdefghij'],
  ]
  for (const [fault, stored, code] of faults) {
    it(JSON.stringify(fault), async () => {
      const { inner, storage } = await withFault({ on: 'put', fault })
      const put = storage.put('new', body(), {}, ctx)
      if (code) await expect(put).rejects.toMatchObject({ code })
      else await put
      if (stored === undefined) expect(await inner.stat('new', ctx)).toBeUndefined()
      else expect(await read(inner, 'new')).toBe(stored)
    })
  }

  it('a duplicate of an exclusive put finds its own object', async () => {
    const { inner, storage } = await withFault({ on: 'put', fault: { kind: 'duplicate' } })
    await expect(storage.put('new', body(), { ifAbsent: true }, ctx)).rejects.toMatchObject({ code: 'already-exists' })
    expect(await read(inner, 'new')).toBe('abcdefghij')
  })
})

describe('faults in a list', () => {
  const faults: [FaultRule['fault'], string[], string?][] = [
    [{ kind: 'error-before' }, [], 'unavailable'],
    [{ kind: 'error-after' }, ['a', 'b', 'key'], 'unavailable'],
    [{ kind: 'error-midway', after: 2 }, ['a', 'b'], 'unavailable'],
    [{ kind: 'short' }, ['a', 'b']],
    [{ kind: 'short', keep: 1 }, ['a']],
    [{ kind: 'reorder' }, ['key', 'b', 'a']],
    [{ kind: 'duplicate' }, ['a', 'a', 'b', 'b', 'key', 'key']],
  ]
  for (const [fault, keys, code] of faults) {
    it(JSON.stringify(fault), async () => {
      const inner = memoryStorage()
      for (const key of ['a', 'b', 'key']) await inner.put(key, streamOf(), {}, ctx)
      const { items, error } = await untilItThrows(
        faultyStorage(inner, [{ on: 'list', fault } as FaultRule]).list('', ctx),
      )
      expect(items.map(({ key }) => key)).toEqual(keys)
      expect((error as { code?: string } | undefined)?.code).toBe(code)
    })
  }
})

describe('faults in a stat and a delete', () => {
  it('an error before or after, and a second time', async () => {
    for (const kind of ['error-before', 'error-after', 'duplicate'] as const) {
      const { storage } = await withFault({ on: 'stat', fault: { kind } })
      const stat = storage.stat('key', ctx)
      if (kind === 'duplicate') expect((await stat)?.size).toBe(10)
      else await expect(stat).rejects.toMatchObject({ code: 'unavailable' })

      const { inner, storage: other } = await withFault({ on: 'delete', fault: { kind } })
      const gone = other.delete('key', ctx)
      if (kind === 'duplicate') await gone
      else await expect(gone).rejects.toMatchObject({ code: 'unavailable' })
      expect((await inner.stat('key', ctx)) === undefined).toBe(kind !== 'error-before')
    }
  })

  it('a stat that tells a wrong size', async () => {
    const { storage } = await withFault({ on: 'stat', fault: { kind: 'short' } })
    expect((await storage.stat('key', ctx))?.size).toBe(9)
    expect(await storage.stat('absent', ctx)).toBeUndefined()
    const { storage: other } = await withFault({ on: 'stat', fault: { kind: 'short', keep: 0 } })
    expect((await other.stat('key', ctx))?.size).toBe(0)
  })
})

/** Does an operation on `key`; resolves to the keys or bytes that came, if any. */
async function operate(storage: Storage, operation: StorageOperation, own: RunContext): Promise<unknown> {
  switch (operation) {
    case 'put':
      return storage.put('new', body(), {}, own)
    case 'get':
      return read(storage, 'key', own)
    case 'list':
      return collect(storage.list('', own))
    case 'stat':
      return storage.stat('key', own)
    case 'delete':
      return storage.delete('key', own)
  }
}

describe('time', () => {
  for (const on of storageOperations) {
    it(`slow: ${on} takes longer by the clock, and can be aborted`, async () => {
      const clock = createFakeClock()
      const controller = new AbortController()
      const own = createRunContext({ clock, signal: controller.signal })
      const { storage } = await withFault({ on, fault: { kind: 'slow', ms: 100 } })
      let settled = false
      const work = operate(storage, on, own).finally(() => {
        settled = true
      })
      await clock.advance(99)
      expect(settled).toBe(false)
      await clock.advance(10_000)
      expect(settled).toBe(true)
      await work

      const again = operate(storage, on, own)
      again.catch(() => {})
      await clock.advance(50)
      controller.abort('enough')
      await expect(again).rejects.toBe('enough')
    })

    it(`stall: ${on} waits until it is aborted`, async () => {
      const controller = new AbortController()
      const { inner, storage } = await withFault({ on, fault: { kind: 'stall' } })
      let settled = false
      const work = operate(storage, on, createRunContext({ signal: controller.signal })).finally(() => {
        settled = true
      })
      work.catch(() => {})
      await createFakeClock().advance(0) // lets everything run that can
      expect(settled).toBe(false)
      controller.abort('enough')
      await expect(work).rejects.toBe('enough')
      expect(await inner.stat('key', ctx)).toBeDefined()
      expect(await inner.stat('new', ctx)).toBeUndefined()
      await expect(operate(storage, on, createRunContext({ signal: controller.signal }))).rejects.toBe('enough')
    })
  }

  it('stall: after some bytes', async () => {
    const controller = new AbortController()
    const { storage } = await withFault({ on: 'get', fault: { kind: 'stall', after: 6 } })
    const seen: Uint8Array[] = []
    const reading = (async () => {
      for await (const chunk of storage.get('key', undefined, createRunContext({ signal: controller.signal }))) {
        seen.push(chunk)
        if (text(seen).length === 6) setImmediate(() => controller.abort('enough'))
      }
    })()
    await expect(reading).rejects.toBe('enough')
    expect(text(seen)).toBe('abcdef')
  })
})

describe('the choice of calls', () => {
  it('by number, one or several', async () => {
    const { storage } = await withFault({ on: 'stat', fault: { kind: 'error-before' }, nth: 2 })
    await storage.stat('key', ctx)
    await expect(storage.stat('key', ctx)).rejects.toThrow()
    await storage.stat('key', ctx)
    const { storage: other } = await withFault({ on: 'stat', fault: { kind: 'error-before' }, nth: [1, 3] })
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => other.stat('key', ctx)))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled'])
  })

  it('by key, which alone are counted', async () => {
    const { storage } = await withFault({ on: 'stat', fault: { kind: 'error-before' }, key: /^k/, nth: 2 })
    await storage.stat('other', ctx)
    await storage.stat('key', ctx)
    await storage.stat('other', ctx)
    await expect(storage.stat('key', ctx)).rejects.toThrow(/stat of key/)
    expect(storage.injected).toHaveLength(1)
  })

  it('the first rule that fits counts', async () => {
    const storage = faultyStorage(await chunked(), [
      { on: 'stat', fault: { kind: 'error-before', error: 'first' }, nth: 1 },
      { on: 'stat', fault: { kind: 'error-before', error: 'second' } },
    ])
    await expect(storage.stat('key', ctx)).rejects.toBe('first')
    await expect(storage.stat('key', ctx)).rejects.toBe('second')
  })

  /** What goes wrong in 300 calls. */
  async function history(plan: Parameters<typeof faultyStorage>[1]): Promise<string[]> {
    const clock = { ...createRunContext().clock, sleep: async () => {} }
    const storage = faultyStorage(await chunked(), plan)
    for (let call = 0; call < 300; call++) {
      const operation = storageOperations[call % storageOperations.length] ?? 'put'
      await operate(storage, operation, createRunContext({ clock })).catch(() => {})
    }
    return storage.injected.map(({ operation, fault }) => `${operation} ${fault.kind}`)
  }

  it('at random, the same for the same seed', async () => {
    const first = await history({ seed: 7, probability: 0.5 })
    expect(first.length).toBeGreaterThan(100)
    expect(first.length).toBeLessThan(200)
    expect(await history({ seed: 7, probability: 0.5 })).toEqual(first)
    expect(await history({ seed: 8, probability: 0.5 })).not.toEqual(first)
    expect(first.join()).not.toContain('stall')
  })

  it('at random, every fault that makes sense comes up, and no other', async () => {
    const seen = new Set(await history({ seed: 1, probability: 1 }))
    for (let seed = 2; seed < 12; seed++) for (const fault of await history({ seed, probability: 1 })) seen.add(fault)
    const possible = storageOperations.flatMap((operation) =>
      faultsOf[operation]
        .filter((kind: FaultKind) => kind !== 'stall')
        .map((kind: FaultKind) => `${operation} ${kind}`),
    )
    expect([...seen].sort()).toEqual(possible.sort())
  })

  it('at random, of some kinds and in some operations', async () => {
    const some = await history({ seed: 3, probability: 1, kinds: ['error-before'], operations: ['get', 'delete'] })
    expect(new Set(some)).toEqual(new Set(['get error-before', 'delete error-before']))
    expect(await history({ seed: 3, probability: 1, kinds: ['corrupt'], operations: ['delete'] })).toEqual([])
    expect(await history({ seed: 3, probability: 0 })).toEqual([])
  })

  it('at random, a stall where it is asked for', async () => {
    const storage = faultyStorage(memoryStorage(), { seed: 1, probability: 1, kinds: ['stall'], operations: ['stat'] })
    const work = storage.stat('key', createRunContext({ signal: AbortSignal.abort('enough') }))
    await expect(work).rejects.toBe('enough')
    expect(storage.injected[0]?.fault.kind).toBe('stall')
  })
})

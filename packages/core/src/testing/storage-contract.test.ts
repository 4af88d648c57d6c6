import { describe, expect, it } from 'vitest'
import { BackupError } from '../backup-error.js'
import { type ByteStream, MiB, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import type { Storage, StoredObject } from '../storage/storage.js'
import type { FaultRule } from './faults/choose-fault.js'
import { collect, untilAborted } from './faults/stream-faults.js'
import { faultyStorage } from './faulty-storage.js'
import { memoryStorage } from './memory-storage.js'
import { storageCasePrefix, storageContract } from './storage-contract.js'

/** A deliberate bug, and the case that must notice it. */
interface Mutation {
  readonly bug: string
  readonly caughtBy: RegExp
  readonly storage: () => Storage
}

const mutate = (bug: string, caughtBy: RegExp, change: (inner: Storage) => Partial<Storage>): Mutation => ({
  bug,
  caughtBy,
  storage: () => {
    const inner = memoryStorage()
    return { ...inner, ...change(inner) }
  },
})

const fault = (bug: string, caughtBy: RegExp, ...rules: FaultRule[]): Mutation => ({
  bug,
  caughtBy,
  storage: () => faultyStorage(memoryStorage(), rules),
})

/** A storage that changes keys on their way in. Those it lists are the changed ones. */
const rename = (bug: string, change: (key: string) => string): Mutation =>
  mutate(bug, /keys: odd ones/, (inner) => ({
    put: (key, ...rest) => inner.put(change(key), ...rest),
    get: (key, ...rest) => inner.get(change(key), ...rest),
    stat: (key, ...rest) => inner.stat(change(key), ...rest),
    delete: (key, ...rest) => inner.delete(change(key), ...rest),
  }))

/** Yields until the stream throws, then ends as if that were all. */
async function* forgiving<Item>(stream: AsyncIterable<Item>): AsyncGenerator<Item> {
  try {
    yield* stream
  } catch {}
}

const never = createRunContext()
const unable = (message: string): BackupError => new BackupError('unavailable', { message })

const mutations: readonly Mutation[] = [
  mutate('keeps what came before a body failed', /a body that fails leaves no object/, (inner) => ({
    async put(key, body, options, ctx) {
      let error: unknown
      async function* seen(): ByteStream {
        try {
          yield* body
        } catch (thrown) {
          error = thrown
        }
      }
      const stored = await inner.put(key, seen(), options, ctx)
      if (error) throw error
      return stored
    },
  })),
  mutate('drops the older object before the new one is whole', /leaves an older object as it was/, (inner) => ({
    async put(key, body, options, ctx) {
      if (!options.ifAbsent) await inner.delete(key, ctx)
      return inner.put(key, body, options, ctx)
    },
  })),
  mutate('shows an object while it is being put', /nothing is visible until/, (inner) => ({
    async put(key, body, options, ctx) {
      const isNew = !(await inner.stat(key, ctx))
      if (!isNew) return inner.put(key, body, options, ctx)
      await inner.put(key, streamOf(), {}, ctx)
      try {
        return await inner.put(key, body, {}, ctx)
      } catch (error) {
        await inner.delete(key, never)
        throw error
      }
    },
  })),
  mutate('lists its temp files', /nothing is visible until/, (inner) => ({
    async put(key, body, options, ctx) {
      await inner.put(`${key}.part`, streamOf(), {}, ctx)
      try {
        return await inner.put(key, body, options, ctx)
      } finally {
        await inner.delete(`${key}.part`, never)
      }
    },
    stat: (key, ctx) => inner.stat(key, ctx),
  })),
  mutate('wraps the error of a body', /a body that fails leaves no object/, (inner) => ({
    put: (...given) =>
      inner.put(...given).catch((error) => {
        throw error instanceof BackupError || given[3].signal.aborted ? error : unable(String(error))
      }),
  })),
  mutate('ignores ifAbsent', /a taken key is refused/, (inner) => ({
    put: (key, body, options, ctx) => inner.put(key, body, { ...options, ifAbsent: false }, ctx),
  })),
  mutate('never overwrites', /without ifAbsent it overwrites/, (inner) => ({
    put: (key, body, options, ctx) => inner.put(key, body, { ...options, ifAbsent: true }, ctx),
  })),
  mutate('looks first, and puts later', /racing exclusive puts/, (inner) => ({
    async put(key, body, options, ctx) {
      const taken = options.ifAbsent && (await inner.stat(key, ctx))
      return inner.put(key, body, taken ? options : { ...options, ifAbsent: false }, ctx)
    },
  })),
  mutate('leaves a refused body open', /a taken key is refused/, (inner) => ({
    async put(key, body, options, ctx) {
      const iterator = body[Symbol.asyncIterator]()
      return inner
        .put(key, { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) }, options, ctx)
        .catch((e) => e)
    },
  })),
  mutate('waits for a body that hangs, abort or not', /abort: of a put whose body hangs/, (inner) => ({
    async put(key, body, options, ctx) {
      const chunks = ctx.signal.aborted ? body : streamOf(...(await collect(body)))
      return inner.put(key, chunks, options, ctx)
    },
  })),
  mutate('publishes although it was aborted', /abort: at the last moment|abort: of a put/, (inner) => ({
    put: (key, body, options, ctx) =>
      ctx.signal.aborted ? inner.put(key, body, options, ctx) : inner.put(key, body, options, never),
  })),
  mutate('wraps the reason of an abort', /abort: before a put/, (inner) => ({
    put: (...given) =>
      inner.put(...given).catch((error) => {
        throw given[3].signal.aborted ? new Error('aborted', { cause: error }) : error
      }),
  })),
  mutate('ends a get that is aborted', /abort: before a get/, (inner) => ({
    get: (key, range, ctx) => (ctx.signal.aborted ? streamOf() : inner.get(key, range, ctx)),
  })),
  mutate('goes on with a get after an abort', /abort: in the middle of a get/, (inner) => ({
    get: (key, range, ctx) => inner.get(key, range, ctx.signal.aborted ? ctx : never),
  })),
  mutate('ends a list that is aborted', /abort: before and in the middle of a list/, (inner) => ({
    list: (prefix, ctx) => forgiving(inner.list(prefix, ctx)),
  })),
  mutate('deletes in spite of an abort', /abort: before a stat and a delete/, (inner) => ({
    delete: (key) => inner.delete(key, never),
  })),
  mutate('tells a wrong size of a put', /the bytes come back/, (inner) => ({
    put: async (...given) => ({ ...(await inner.put(...given)), size: 0 }),
  })),
  fault('loses the last byte', /the bytes come back/, { on: 'put', fault: { kind: 'short' } }),
  fault('flips a bit on its way in', /the bytes come back/, { on: 'put', fault: { kind: 'corrupt', at: 77 } }),
  fault('flips a bit on its way out', /the bytes come back/, { on: 'get', fault: { kind: 'corrupt', at: 77 } }),
  fault('confuses the order of pieces', /the bytes come back/, { on: 'put', fault: { kind: 'reorder' } }),
  fault('sends a piece twice', /20 MiB|the bytes come back/, { on: 'get', fault: { kind: 'duplicate' } }),
  fault('tells a wrong size', /the bytes come back/, { on: 'stat', fault: { kind: 'short' } }),
  fault('lists an object twice', /list: any string|page/, { on: 'list', fault: { kind: 'duplicate' } }),
  fault('leaves an object out of lists', /the bytes come back/, { on: 'list', fault: { kind: 'short' } }),
  fault('repeats an exclusive put', /a free key is taken/, { on: 'put', fault: { kind: 'duplicate' } }),
  mutate('an absent object reads as an empty one', /an absent object is not-found/, (inner) => ({
    get: (key, range, ctx) => {
      const stream = inner.get(key, range, ctx)
      return (async function* () {
        yield* (await inner.stat(key, ctx)) ? stream : streamOf()
      })()
    },
  })),
  mutate('an absent object makes stat throw', /stat: an absent object/, (inner) => ({
    async stat(key, ctx) {
      const stat = await inner.stat(key, ctx)
      if (stat || key.includes('folder')) return stat
      throw new BackupError('not-found', { message: 'absent' })
    },
  })),
  mutate('takes the end of a range as excluded', /get: ranges/, (inner) => ({
    get: (key, range, ctx) =>
      inner.get(key, range?.end === undefined ? range : { start: range.start, end: range.end - 1 }, ctx),
  })),
  mutate('ignores ranges', /get: ranges/, (inner) => ({ get: (key, _, ctx) => inner.get(key, undefined, ctx) })),
  mutate('throws for a range beyond the end', /get: ranges/, (inner) => ({
    async *get(key, range, ctx) {
      const size = (await inner.stat(key, ctx))?.size ?? Number.POSITIVE_INFINITY
      if (range && range.start >= size) throw unable('416')
      yield* inner.get(key, range, ctx)
    },
  })),
  mutate('lists folders only', /list: any string is a prefix/, (inner) => ({
    async *list(prefix, ctx) {
      for await (const object of inner.list(prefix, ctx)) {
        if (object.key === prefix || /^$|\/$/.test(prefix)) yield object
      }
    },
  })),
  mutate('lists one page only', /more than a page/, (inner) => ({
    async *list(prefix, ctx) {
      let left = 1000
      for await (const object of inner.list(prefix, ctx)) if (left-- > 0) yield object
    },
  })),
  mutate('an error looks like an empty list', /before and in the middle of a list/, (inner) => ({
    list: (prefix, ctx) => (ctx.signal.aborted ? inner.list('nothing', never) : inner.list(prefix, ctx)),
  })),
  mutate('deletes nothing', /delete: the object is gone/, () => ({ delete: async () => {} })),
  mutate('deletes what begins with the key', /its neighbours stay/, (inner) => ({
    async delete(key, ctx) {
      await inner.delete(key, ctx)
      for await (const object of inner.list(key, ctx)) await inner.delete(object.key, ctx)
    },
  })),
  mutate('cannot delete what is not there', /an absent object is success/, (inner) => ({
    async delete(key, ctx) {
      const known = await inner.stat(key, ctx)
      if (!known && !key.endsWith('folder')) throw new BackupError('not-found', { message: 'absent' })
      await inner.delete(key, ctx)
    },
  })),
  mutate('takes any key', /impossible ones/, (inner) => ({
    stat: (key, ctx) => inner.stat(key, ctx).catch((error) => (ctx.signal.aborted ? Promise.reject(error) : undefined)),
  })),
  rename('folds case', (key) => key.toLowerCase()),
  rename('trims names', (key) =>
    key
      .split('/')
      .map((name) => name.trim())
      .join('/'),
  ),
  rename('decodes percent signs', (key) => key.replaceAll('%2F', '/')),
  rename('takes a plus for a space', (key) => key.replaceAll('+', ' ')),
  rename('normalises Unicode', (key) => key.normalize('NFC')),
  rename('cuts a query off', (key) => key.split('?')[0] as string),
  mutate('hides what begins with a dot', /keys: odd ones/, (inner) => ({
    async *list(prefix, ctx) {
      for await (const object of inner.list(prefix, ctx)) if (!object.key.includes('/.')) yield object
    },
  })),
  mutate('does not release the connection of an early stop', /a reader that stops early releases/, (inner) => {
    let free = 50
    return {
      async *get(key, range, ctx) {
        if (free === 0) throw unable('no connection is free')
        free--
        yield* inner.get(key, range, ctx)
        free++
      },
    }
  }),
  mutate('does not know its free space', /freeSpace/, () => ({ freeSpace: async () => Number.NaN })),
  mutate('sweeps what is under no prefix', /sweepUnfinished/, () => ({
    sweepUnfinished: async ({ before }) => (before.getTime() > 0 ? 1 : 0),
  })),
  mutate('sweeps finished objects', /sweepUnfinished/, (inner) => ({
    async sweepUnfinished(_which, ctx) {
      for await (const { key } of inner.list('', ctx)) await inner.delete(key, ctx)
      return 0
    },
  })),
]

/** The names of the cases of the contract that match and fail. One that hangs has failed. */
async function failures(storage: Storage, matching: RegExp, patienceMs = 1000, simulateBytes = 0): Promise<string[]> {
  const failed: string[] = []
  for (const { name, run } of storageContract.filter(({ name }) => matching.test(name))) {
    const signal = AbortSignal.timeout(patienceMs)
    const env = { storage, prefix: storageCasePrefix(), ctx: createRunContext({ signal }), simulateBytes }
    await Promise.race([run(env), untilAborted(signal)]).catch(() => failed.push(name))
  }
  return failed
}

describe('the storage contract notices a storage that', () => {
  for (const { bug, caughtBy, storage } of mutations) {
    it(bug, async () => {
      expect(await failures(memoryStorage(), caughtBy, 30_000)).toEqual([])
      expect(await failures(storage(), caughtBy)).not.toEqual([])
    })
  }
})

describe('the storage contract, by simulation,', () => {
  /** Counts what it is given under the one key that it knows, and keeps the chunks if told to. */
  function counting(kept?: Uint8Array[]): Storage {
    let object: StoredObject | undefined
    return {
      ...memoryStorage(),
      async put(key, body) {
        let size = 0
        for await (const chunk of body) {
          size += chunk.byteLength
          kept?.push(chunk)
        }
        object = { key, size, modifiedAt: new Date() }
        return object
      },
      stat: async () => object,
    }
  }

  it('lets a storage pass whose memory stays flat', async () => {
    expect(await failures(counting(), /memory does not grow/, 30_000, 512 * MiB)).toEqual([])
  })

  it('notices a storage that keeps what it was given in memory', async () => {
    expect(await failures(counting([]), /memory does not grow/, 30_000, 320 * MiB)).toHaveLength(1)
  })
})

describe('the storage contract', () => {
  it('names each case once', () => {
    expect(new Set(storageContract.map(({ name }) => name)).size).toBe(storageContract.length)
  })

  it('leaves nothing behind, also when a case fails', async () => {
    const storage = faultyStorage(memoryStorage(), [{ on: 'get', fault: { kind: 'corrupt' } }])
    expect((await failures(storage, /^put: [^m]/)).length).toBeGreaterThan(5)
    expect(await collect(storage.list('', createRunContext()))).toEqual([])
  })
})

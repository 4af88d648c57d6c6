import assert from 'node:assert/strict'
import { MiB, readAll, streamOf } from '../../byte-stream.js'
import type { ByteRange } from '../../storage/storage.js'
import { incompressible, oddChunks } from './bodies.js'
import { assertCode, digestOf } from './expect.js'
import { type StorageCase, storageCase } from './storage-case.js'

/** Reading: whole, in part, not at all. */
export const readCases: readonly StorageCase[] = [
  storageCase('get: an absent object is not-found, at the first read', async ({ storage, prefix, ctx }) => {
    const stream = storage.get(`${prefix}absent`, undefined, ctx)
    await assertCode(digestOf(stream), 'not-found')
    await assertCode(digestOf(storage.get(`${prefix}absent`, { start: 5, end: 9 }, ctx)), 'not-found')
  }),

  storageCase('get: what is only the beginning of a key is not-found', async ({ storage, prefix, ctx }) => {
    await storage.put(`${prefix}folder/object`, streamOf(Buffer.from('x')), {}, ctx)
    await assertCode(digestOf(storage.get(`${prefix}folder`, undefined, ctx)), 'not-found')
    assert.equal(await storage.stat(`${prefix}folder`, ctx), undefined)
  }),

  storageCase('stat: an absent object is undefined', async ({ storage, prefix, ctx }) => {
    assert.equal(await storage.stat(`${prefix}absent`, ctx), undefined)
    assert.equal(await storage.stat(`${prefix}absent/deeper/object`, ctx), undefined)
  }),

  storageCase(
    'stat: tells key, size and a time that does not lie by more than a day',
    async ({ storage, prefix, ctx }) => {
      await storage.put(`${prefix}object`, streamOf(Buffer.from('12345')), {}, ctx)
      const stat = await storage.stat(`${prefix}object`, ctx)
      assert.equal(stat?.key, `${prefix}object`)
      assert.equal(stat.size, 5)
      assert.ok(
        Math.abs(stat.modifiedAt.getTime() - ctx.clock.now().getTime()) < 86_400_000,
        `modified at ${stat.modifiedAt}`,
      )
    },
  ),

  storageCase('get: ranges', async ({ storage, prefix, ctx }) => {
    const bytes = incompressible(100_000)
    await storage.put(`${prefix}object`, oddChunks(bytes), {}, ctx)
    const ranges: [ByteRange, Buffer][] = [
      [{ start: 0 }, bytes],
      [{ start: 99_000 }, bytes.subarray(99_000)],
      [{ start: 0, end: 0 }, bytes.subarray(0, 1)],
      [{ start: 10, end: 19 }, bytes.subarray(10, 20)],
      [{ start: 65_000, end: 66_000 }, bytes.subarray(65_000, 66_001)],
      [{ start: 99_999, end: 99_999 }, bytes.subarray(99_999)],
      [{ start: 99_990, end: 200_000 }, bytes.subarray(99_990)],
      [{ start: 100_000 }, Buffer.alloc(0)],
      [{ start: 100_000, end: 100_010 }, Buffer.alloc(0)],
      [{ start: 500_000 }, Buffer.alloc(0)],
    ]
    for (const [range, expected] of ranges) {
      const read = await readAll(storage.get(`${prefix}object`, range, ctx))
      assert.ok(read.equals(expected), `bytes ${range.start}-${range.end ?? ''}: ${read.byteLength} bytes came`)
    }
  }),

  storageCase('get: ranges of an empty object', async ({ storage, prefix, ctx }) => {
    await storage.put(`${prefix}empty`, streamOf(), {}, ctx)
    for (const range of [{ start: 0 }, { start: 0, end: 9 }, { start: 5 }]) {
      assert.equal((await readAll(storage.get(`${prefix}empty`, range, ctx))).byteLength, 0)
    }
  }),

  storageCase('get: the same object twice at once', async ({ storage, prefix, ctx }) => {
    const bytes = incompressible(2 * MiB)
    await storage.put(`${prefix}object`, oddChunks(bytes), {}, ctx)
    const read = (): Promise<string> => digestOf(storage.get(`${prefix}object`, undefined, ctx))
    const [first, second] = await Promise.all([read(), read()])
    assert.equal(first, await digestOf(streamOf(bytes)))
    assert.equal(second, first)
  }),

  storageCase('get: a reader that stops early releases what it held', async ({ storage, prefix, ctx }) => {
    const bytes = incompressible(4 * MiB)
    await storage.put(`${prefix}object`, oddChunks(bytes), {}, ctx)
    // More often than a pool has connections: one that is not released makes a later read wait for ever.
    for (let round = 0; round < 80; round++) {
      for await (const chunk of storage.get(`${prefix}object`, undefined, ctx)) {
        assert.ok(bytes.subarray(0, chunk.byteLength).equals(chunk))
        break
      }
    }
    assert.equal(await digestOf(storage.get(`${prefix}object`, undefined, ctx)), await digestOf(streamOf(bytes)))
  }),
]

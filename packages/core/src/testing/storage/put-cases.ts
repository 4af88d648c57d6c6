import assert from 'node:assert/strict'
import { MiB, streamOf } from '../../byte-stream.js'
import { incompressible, oddChunks, spoiltWhenGivenBack, trackBody } from './bodies.js'
import { assertCode, assertHolds, digestOf, within } from './expect.js'
import { inParallel, type StorageCase, storageCase } from './storage-case.js'

/** What is put comes back. */
export const putCases: readonly StorageCase[] = [
  storageCase('put: the bytes come back as they went in', async ({ storage, prefix, ctx }) => {
    const bytes = incompressible(300_000)
    const stored = await storage.put(`${prefix}a/object`, oddChunks(bytes), {}, ctx)
    assert.equal(stored.key, `${prefix}a/object`)
    assert.equal(stored.size, bytes.byteLength)
    assert.ok(stored.modifiedAt instanceof Date && Number.isFinite(stored.modifiedAt.getTime()))
    await assertHolds(storage, `${prefix}a/object`, bytes, ctx)
    assert.ok(bytes.equals(incompressible(300_000)), 'the chunks of the body are left as they were')
  }),

  storageCase('put: 0 bytes', async ({ storage, prefix, ctx }) => {
    assert.equal((await storage.put(`${prefix}none`, streamOf(), {}, ctx)).size, 0)
    await assertHolds(storage, `${prefix}none`, new Uint8Array(), ctx)
    await storage.put(`${prefix}empty-chunks`, streamOf(new Uint8Array(), new Uint8Array()), {}, ctx)
    await assertHolds(storage, `${prefix}empty-chunks`, new Uint8Array(), ctx)
  }),

  storageCase('put: 1 byte, empty chunks around it', async ({ storage, prefix, ctx }) => {
    const body = streamOf(new Uint8Array(), Uint8Array.of(7), new Uint8Array())
    assert.equal((await storage.put(`${prefix}one`, body, {}, ctx)).size, 1)
    await assertHolds(storage, `${prefix}one`, Uint8Array.of(7), ctx)
  }),

  storageCase(
    'put: 20 MiB of unknown length in odd chunks',
    async ({ storage, prefix, ctx }) => {
      const bytes = incompressible(20 * MiB + 3)
      const stored = await storage.put(`${prefix}large`, oddChunks(bytes), {}, ctx)
      assert.equal(stored.size, bytes.byteLength)
      await assertHolds(storage, `${prefix}large`, bytes, ctx)
    },
    { heavy: true },
  ),

  storageCase(
    'put: chunks that are given back hold other bytes at once',
    async ({ storage, prefix, ctx }) => {
      const bytes = incompressible(20 * MiB + 3)
      await storage.put(`${prefix}lent`, spoiltWhenGivenBack(bytes), {}, ctx)
      await assertHolds(storage, `${prefix}lent`, bytes, ctx)
    },
    { heavy: true },
  ),

  storageCase(
    'put: exactly 5, 8 and 16 MiB, where pieces of an upload end',
    async ({ storage, prefix, ctx }) => {
      for (const size of [5 * MiB, 8 * MiB, 16 * MiB]) {
        await storage.put(`${prefix}${size}`, oddChunks(incompressible(size)), {}, ctx)
        await assertHolds(storage, `${prefix}${size}`, incompressible(size), ctx)
      }
    },
    { heavy: true },
  ),

  storageCase(
    'put: one chunk that is larger than a piece of an upload',
    async ({ storage, prefix, ctx }) => {
      const bytes = incompressible(18 * MiB + 1)
      await storage.put(`${prefix}chunk`, streamOf(bytes), {}, ctx)
      await assertHolds(storage, `${prefix}chunk`, bytes, ctx)
    },
    { heavy: true },
  ),

  storageCase('put: without ifAbsent it overwrites', async ({ storage, prefix, ctx }) => {
    const key = `${prefix}object`
    await storage.put(key, streamOf(Buffer.from('first, and longer')), {}, ctx)
    await storage.put(key, streamOf(Buffer.from('second')), {}, ctx)
    await assertHolds(storage, key, Buffer.from('second'), ctx)
  }),

  storageCase('put: with ifAbsent a free key is taken', async ({ storage, prefix, ctx }) => {
    await storage.put(`${prefix}free`, streamOf(Buffer.from('first')), { ifAbsent: true }, ctx)
    await assertHolds(storage, `${prefix}free`, Buffer.from('first'), ctx)
  }),

  storageCase(
    'put: with ifAbsent a taken key is refused, and the first content stays',
    async ({ storage, prefix, ctx }) => {
      const key = `${prefix}object`
      await storage.put(key, streamOf(Buffer.from('first')), { ifAbsent: true }, ctx)
      for (const bytes of [Buffer.from('second'), incompressible(9 * MiB)]) {
        const body = trackBody(oddChunks(bytes))
        await assertCode(storage.put(key, body, { ifAbsent: true }, ctx), 'already-exists')
        await within(body.closed, 'the refused body is read to its end or its iterator is returned')
        await assertHolds(storage, key, Buffer.from('first'), ctx)
      }
    },
  ),

  storageCase(
    'put: of two racing exclusive puts exactly one wins',
    async ({ storage, prefix, ctx }) => {
      for (let round = 0; round < 5; round++) {
        const key = `${prefix}race-${round}`
        const rivals = [incompressible(70_000, 1), incompressible(80_000, 2)]
        const results = await Promise.allSettled(
          rivals.map((bytes) => storage.put(key, oddChunks(bytes), { ifAbsent: true }, ctx)),
        )
        const winner = results.findIndex((result) => result.status === 'fulfilled')
        const bytes = rivals[winner]
        const loser = results[1 - winner]
        assert.ok(bytes && loser, 'one of the two wins')
        assert.equal(loser.status, 'rejected', 'only one of the two wins')
        await assertCode(Promise.reject(loser.reason), 'already-exists')
        await assertHolds(storage, key, bytes, ctx)
      }
    },
    { advisory: true },
  ),

  storageCase('put: several at once, under different keys', async ({ storage, prefix, ctx }) => {
    const seeds = Array.from({ length: 12 }, (_, index) => index + 1)
    await Promise.all(
      seeds.map((seed) =>
        storage.put(`${prefix}${seed % 3}/${seed}`, oddChunks(incompressible(200_000, seed)), {}, ctx),
      ),
    )
    await inParallel(seeds, (seed) =>
      assertHolds(storage, `${prefix}${seed % 3}/${seed}`, incompressible(200_000, seed), ctx),
    )
  }),

  storageCase('put: metadata are accepted', async ({ storage, prefix, ctx }) => {
    const metadata = { database: 'shop', type: 'daily', 'backup-id': '0198a1b2-0000-7000-8000-000000000000' }
    await storage.put(`${prefix}described`, streamOf(Buffer.from('x')), { metadata }, ctx)
    assert.equal(
      await digestOf(storage.get(`${prefix}described`, undefined, ctx)),
      await digestOf(streamOf(Buffer.from('x'))),
    )
  }),
]

import assert from 'node:assert/strict'
import { MiB, streamOf } from '../../byte-stream.js'
import { brokenAfter, incompressible, trackBody, waitingBody } from './bodies.js'
import { assertAbsent, assertHolds, assertRethrows, before, listKeys, within } from './expect.js'
import { type StorageCase, storageCase } from './storage-case.js'

/** Where a body may break: before any byte, in a first small piece, beyond one piece of an upload (8 MiB), beyond two. */
const cuts = [0, 10, 9 * MiB + 11, 17 * MiB]

/** An object is there whole, or not at all. */
export const atomicCases: readonly StorageCase[] = [
  storageCase(
    'put: a body that fails leaves no object, and its own error is thrown',
    async ({ storage, prefix, ctx }) => {
      for (const size of cuts) {
        const error = new Error(`cut after ${size} bytes`)
        const body = trackBody(brokenAfter(size, error))
        await assertRethrows(storage.put(`${prefix}cut`, body, {}, ctx), error)
        await within(body.closed, 'the failed body is released')
        await assertAbsent(storage, `${prefix}cut`, ctx)
      }
      assert.deepEqual(await listKeys(storage, prefix, ctx), [])
    },
  ),

  storageCase('put: a body that fails leaves an older object as it was', async ({ storage, prefix, ctx }) => {
    const older = incompressible(100_000, 3)
    await storage.put(`${prefix}object`, streamOf(older), {}, ctx)
    for (const size of cuts) {
      const error = new Error(`cut after ${size} bytes`)
      await assertRethrows(storage.put(`${prefix}object`, brokenAfter(size, error), {}, ctx), error)
      await assertHolds(storage, `${prefix}object`, older, ctx)
    }
  }),

  storageCase('put: a failed exclusive put leaves the key free', async ({ storage, prefix, ctx }) => {
    const error = new Error('cut')
    await assertRethrows(storage.put(`${prefix}key`, brokenAfter(10, error), { ifAbsent: true }, ctx), error)
    await storage.put(`${prefix}key`, streamOf(Buffer.from('again')), { ifAbsent: true }, ctx)
    await assertHolds(storage, `${prefix}key`, Buffer.from('again'), ctx)
  }),

  ...[100_000, 9 * MiB].map((size) =>
    storageCase(
      `put: nothing is visible until the body has ended (${size} bytes)`,
      async ({ storage, prefix, ctx }) => {
        const bytes = incompressible(size)
        const { body, waiting, finish } = waitingBody(bytes)
        const put = storage.put(`${prefix}late`, body, {}, ctx)
        try {
          await before(waiting, put, 'its body had ended')
          await assertAbsent(storage, `${prefix}late`, ctx)
          assert.deepEqual(await listKeys(storage, prefix, ctx), [], 'an unfinished put is never listed')
        } finally {
          finish()
          await Promise.allSettled([put])
        }
        assert.equal((await put).size, size)
        await assertHolds(storage, `${prefix}late`, bytes, ctx)
      },
    ),
  ),

  storageCase('put: while an object is replaced, the older one is read', async ({ storage, prefix, ctx }) => {
    const older = incompressible(50_000, 4)
    await storage.put(`${prefix}object`, streamOf(older), {}, ctx)
    const newer = incompressible(60_000, 5)
    const { body, waiting, finish } = waitingBody(newer)
    const put = storage.put(`${prefix}object`, body, {}, ctx)
    try {
      await before(waiting, put, 'its body had ended')
      await assertHolds(storage, `${prefix}object`, older, ctx)
    } finally {
      finish()
      await Promise.allSettled([put])
    }
    await put
    await assertHolds(storage, `${prefix}object`, newer, ctx)
  }),
]

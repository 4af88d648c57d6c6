import assert from 'node:assert/strict'
import { type ByteStream, MiB, streamOf } from '../../byte-stream.js'
import type { RunContext } from '../../run-context.js'
import { incompressible, oddChunks, trackBody, waitingBody } from './bodies.js'
import { assertAbsent, assertHolds, assertRethrows, before, digestOf, listKeys, within } from './expect.js'
import { type StorageCase, storageCase } from './storage-case.js'

/** Whoever aborts gets their own reason back, and finds nothing half done. */
export const abortCases: readonly StorageCase[] = [
  storageCase('abort: before a put, nothing is read or left', async ({ storage, prefix, ctx }) => {
    const aborted = abortable(ctx)
    aborted.abort()
    const body = trackBody(streamOf(Buffer.from('x')))
    await assertRethrows(storage.put(`${prefix}object`, body, {}, aborted.ctx), aborted.reason)
    assert.equal(body.pulls, 0)
    await within(body.closed, 'the iterator of the body is returned')
    await assertAbsent(storage, `${prefix}object`, ctx)
  }),

  ...[100_000, 9 * MiB].map((size) =>
    storageCase(`abort: of a put whose body hangs after ${size} bytes`, async ({ storage, prefix, ctx }) => {
      const { abort, reason, ctx: ownCtx } = abortable(ctx)
      const { body, waiting, finish } = waitingBody(incompressible(size))
      const put = storage.put(`${prefix}object`, body, {}, ownCtx)
      put.catch(() => {})
      try {
        await before(waiting, put, 'its body had ended')
        abort()
        await within(assertRethrows(put, reason), 'the put rejects although its body still hangs')
        await within(body.closed, 'the iterator of the body is returned')
        await assertAbsent(storage, `${prefix}object`, ctx)
      } finally {
        finish()
      }
      await assertAbsent(storage, `${prefix}object`, ctx)
      assert.deepEqual(await listKeys(storage, prefix, ctx), [])
    }),
  ),

  storageCase(
    'abort: of a put whose body goes on, an older object stays as it was',
    async ({ storage, prefix, ctx }) => {
      const older = incompressible(1000, 6)
      await storage.put(`${prefix}object`, streamOf(older), {}, ctx)
      for (const size of [0, 500_000, 9 * MiB]) {
        const { abort, reason, ctx: ownCtx } = abortable(ctx)
        await assertRethrows(storage.put(`${prefix}object`, runsOnAfter(size, abort), {}, ownCtx), reason)
        await assertHolds(storage, `${prefix}object`, older, ctx)
      }
    },
  ),

  storageCase('abort: at the last moment of a put, it is whole or not at all', async ({ storage, prefix, ctx }) => {
    const { abort, reason, ctx: ownCtx } = abortable(ctx)
    const bytes = incompressible(100_000)
    async function* body(): ByteStream {
      yield* oddChunks(bytes)
      abort()
    }
    await assertRethrows(storage.put(`${prefix}object`, body(), {}, ownCtx), reason)
    await assertAbsent(storage, `${prefix}object`, ctx)
  }),

  storageCase('abort: before a get', async ({ storage, prefix, ctx }) => {
    await storage.put(`${prefix}object`, streamOf(Buffer.from('x')), {}, ctx)
    const aborted = abortable(ctx)
    aborted.abort()
    await assertRethrows(digestOf(storage.get(`${prefix}object`, undefined, aborted.ctx)), aborted.reason)
  }),

  storageCase('abort: in the middle of a get, the stream throws and does not end', async ({ storage, prefix, ctx }) => {
    const size = 8 * MiB
    await storage.put(`${prefix}object`, oddChunks(incompressible(size)), {}, ctx)
    const { abort, reason, ctx: ownCtx } = abortable(ctx)
    const readAndAbort = async (): Promise<void> => {
      let read = 0
      for await (const chunk of storage.get(`${prefix}object`, undefined, ownCtx)) {
        read += chunk.byteLength
        abort()
        assert.ok(read < size, 'no whole object is read after an abort')
      }
    }
    await assertRethrows(readAndAbort(), reason)
  }),

  storageCase('abort: before and in the middle of a list', async ({ storage, prefix, ctx }) => {
    for (const key of ['a', 'b', 'c/d']) await storage.put(prefix + key, streamOf(Buffer.from('x')), {}, ctx)
    const aborted = abortable(ctx)
    aborted.abort()
    await assertRethrows(listKeys(storage, prefix, aborted.ctx), aborted.reason)
    const { abort, reason, ctx: ownCtx } = abortable(ctx)
    const listAndAbort = async (): Promise<void> => {
      for await (const _ of storage.list(prefix, ownCtx)) abort()
    }
    await assertRethrows(listAndAbort(), reason)
  }),

  storageCase('abort: before a stat and a delete', async ({ storage, prefix, ctx }) => {
    await storage.put(`${prefix}object`, streamOf(Buffer.from('x')), {}, ctx)
    const aborted = abortable(ctx)
    aborted.abort()
    await assertRethrows(storage.stat(`${prefix}object`, aborted.ctx), aborted.reason)
    await assertRethrows(storage.delete(`${prefix}object`, aborted.ctx), aborted.reason)
    await assertHolds(storage, `${prefix}object`, Buffer.from('x'), ctx)
  }),
]

/** A context with a signal of its own. */
function abortable(ctx: RunContext): { ctx: RunContext; reason: Error; abort: () => void } {
  const controller = new AbortController()
  const reason = new Error('the caller changed its mind')
  const signal = AbortSignal.any([ctx.signal, controller.signal])
  return { ctx: { ...ctx, signal }, reason, abort: () => controller.abort(reason) }
}

/** Yields `size` bytes, calls `abort`, and goes on as if nothing had happened. */
async function* runsOnAfter(size: number, abort: () => void): AsyncGenerator<Uint8Array> {
  const block = incompressible(64 * 1024)
  for (let sent = 0; sent < size; sent += block.byteLength) yield block
  abort()
  for (let more = 0; more < 512; more++) yield block
}

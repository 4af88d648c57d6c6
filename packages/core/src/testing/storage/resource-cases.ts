import assert from 'node:assert/strict'
import { MiB, streamOf } from '../../byte-stream.js'
import { incompressible, waitingBody } from './bodies.js'
import { assertHolds, before } from './expect.js'
import { type StorageCase, storageCase } from './storage-case.js'

const GiB = 1024 * MiB
/** What buffers of a put may come to, beyond what was in use after the first tenth. */
const growthAllowed = 192 * MiB

/** Memory, space, and what is left by puts that never finished. */
export const resourceCases: readonly StorageCase[] = [
  storageCase('freeSpace: where present, a number of bytes', async ({ storage, ctx }) => {
    const free = await storage.freeSpace?.(ctx)
    assert.ok(free === undefined || (Number.isFinite(free) && free > 0), `free space: ${free}`)
  }),

  storageCase(
    'sweepUnfinished: where present, leaves fresh and finished puts alone',
    async ({ storage, prefix, ctx }) => {
      const finished = incompressible(10_000)
      await storage.put(`${prefix}finished`, streamOf(finished), {}, ctx)
      const fresh = incompressible(9 * MiB, 2)
      const { body, waiting, finish } = waitingBody(fresh)
      const put = storage.put(`${prefix}fresh`, body, {}, ctx)
      try {
        await before(waiting, put, 'its body had ended')
        // Nothing is older than this, so that on a user's bucket nothing of theirs is swept.
        const swept = await storage.sweepUnfinished?.(new Date(0), ctx)
        assert.ok(swept === undefined || swept === 0, `swept: ${swept}`)
      } finally {
        finish()
        await Promise.allSettled([put])
      }
      await put
      await assertHolds(storage, `${prefix}finished`, finished, ctx)
      await assertHolds(storage, `${prefix}fresh`, fresh, ctx)
    },
  ),

  storageCase(
    'put: memory does not grow with the length (5 GiB by simulation)',
    async ({ storage, prefix, ctx, simulateBytes = 5 * GiB }) => {
      const meter = memoryMeter(simulateBytes / 10)
      const stored = await storage.put(`${prefix}huge`, meter.body(simulateBytes), {}, ctx)
      assert.equal(stored.size, simulateBytes)
      assert.equal((await storage.stat(`${prefix}huge`, ctx))?.size, simulateBytes)
      assert.ok(meter.growth() < growthAllowed, `memory grew by ${Math.round(meter.growth() / MiB)} MiB`)
    },
    { heavy: true, simulate: true },
  ),
]

/** A body that looks at the memory of the process while it is read; what is in use after `warmUp` bytes is allowed. */
function memoryMeter(warmUp: number): { body(size: number): AsyncGenerator<Uint8Array>; growth(): number } {
  let baseline = 0
  let peak = 0
  async function* body(size: number): AsyncGenerator<Uint8Array> {
    const block = incompressible(MiB)
    for (let sent = 0; sent < size; sent += block.byteLength) {
      // A copy: a storage that keeps what it was given must be seen to grow.
      yield Buffer.from(block.subarray(0, Math.min(block.byteLength, size - sent)))
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      if (sent < warmUp) baseline = Math.max(baseline, heapUsed + arrayBuffers)
      else peak = Math.max(peak, heapUsed + arrayBuffers)
    }
  }
  return { body, growth: () => peak - baseline }
}

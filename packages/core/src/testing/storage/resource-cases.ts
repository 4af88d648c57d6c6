import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MiB, streamOf } from '../../byte-stream.js'
import { incompressible, waitingBody } from './bodies.js'
import { assertHolds, before } from './expect.js'
import { type StorageCase, storageCase } from './storage-case.js'

const GiB = 1024 * MiB
/** What the memory in use may grow by after the first tenth of a put. */
const growthAllowed = 192 * MiB

/** Memory, space, and what is left by puts that never finished. */
export const resourceCases: readonly StorageCase[] = [
  storageCase('freeSpace: where present, a number of bytes', async ({ storage, ctx }) => {
    const free = await storage.freeSpace?.(ctx)
    assert.ok(free === undefined || (Number.isFinite(free) && free > 0), `free space: ${free}`)
  }),

  storageCase(
    'sweepUnfinished: where present, leaves fresh and finished puts alone, and those under other prefixes',
    async ({ storage, prefix, ctx }) => {
      const finished = incompressible(10_000)
      await storage.put(`${prefix}finished`, streamOf(finished), {}, ctx)
      const fresh = incompressible(9 * MiB, 2)
      const { body, waiting, finish } = waitingBody(fresh)
      const put = storage.put(`${prefix}fresh`, body, {}, ctx)
      try {
        await before(waiting, put, 'its body had ended')
        // Nothing is older than this, so that on a user's bucket nothing of theirs is swept.
        const swept = await storage.sweepUnfinished?.({ before: new Date(0), prefixes: [prefix] }, ctx)
        assert.ok(swept === undefined || swept === 0, `swept: ${swept}`)
        // However old: what is not under one of the prefixes may belong to somebody else.
        const later = new Date(Date.now() + 60_000)
        const elsewhere = { before: later, prefixes: [`${prefix}fresh/deeper/`, `${prefix}other`] }
        assert.equal((await storage.sweepUnfinished?.(elsewhere, ctx)) ?? 0, 0, 'swept what is under no prefix')
        assert.equal((await storage.sweepUnfinished?.({ before: later, prefixes: [] }, ctx)) ?? 0, 0, 'swept unasked')
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
      const meter = memoryMeter()
      const stored = await storage.put(`${prefix}huge`, meter.body(simulateBytes), {}, ctx)
      assert.equal(stored.size, simulateBytes)
      assert.equal((await storage.stat(`${prefix}huge`, ctx))?.size, simulateBytes)
      assert.ok(meter.growth() < growthAllowed, `memory grew by ${Math.round(meter.growth() / MiB)} MiB`)
    },
    { heavy: true, simulate: true },
  ),
]

/** A body of which a tenth is sent ten times; before each, it looks at the memory that is really in use. */
function memoryMeter(): { body(size: number): AsyncGenerator<Uint8Array>; growth(): number } {
  const collectGarbage = garbageCollector()
  const samples: number[] = []
  async function* body(size: number): AsyncGenerator<Uint8Array> {
    const block = incompressible(MiB)
    for (let sent = 0; sent < size; sent += block.byteLength) {
      // A copy: a storage that keeps what it was given must be seen to grow.
      yield Buffer.from(block.subarray(0, Math.min(block.byteLength, size - sent)))
      if (sent < (size / 10) * (samples.length + 1)) continue
      collectGarbage()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      samples.push(heapUsed + arrayBuffers)
    }
  }
  return { body, growth: () => Math.max(...samples) - (samples[0] ?? 0) }
}

/** The engine's own collector, which is not reachable otherwise unless Node was started with a flag. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}

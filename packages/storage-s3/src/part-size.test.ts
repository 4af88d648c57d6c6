import { MiB } from '@holdfast/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { capacity, maxObjectBytes, planStages } from './part-size.js'

const GiB = 1024 * MiB
const defaults = { partSize: 8 * MiB, queue: 4, maxParts: 10_000 }

/** Parts of an object of `size` bytes, as one number of parts and the bytes of the last, stage by stage. */
function cut(size: number, limits: typeof defaults): { parts: number; largest: number; bytes: number } {
  let [left, parts, largest] = [size, 0, 0]
  for (const stage of planStages(limits)) {
    const taken = Math.min(left, stage.partSize * stage.partsPerWindow * stage.turns)
    parts += Math.ceil(taken / stage.partSize)
    if (taken > 0) largest = stage.partSize
    left -= taken
  }
  return { parts, largest, bytes: size - left }
}

describe('part sizes', () => {
  const limits = fc.record({
    partSize: fc.integer({ min: 5, max: 5120 }).map((mib) => mib * MiB),
    queue: fc.integer({ min: 1, max: 16 }),
    maxParts: fc.integer({ min: 20, max: 10_000 }),
  })

  it('never exceed what S3 and the service take, whatever the length', () => {
    fc.assert(
      fc.property(limits, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const size = Math.floor(capacity(planStages(given)) * share)
        const { parts, largest, bytes } = cut(size, given)
        expect(bytes).toBe(size)
        expect(parts).toBeLessThanOrEqual(given.maxParts)
        expect(largest).toBeLessThanOrEqual(5 * GiB)
      }),
    )
  })

  it('grow, and never ask for more memory than the first parts did or two parts need', () => {
    fc.assert(
      fc.property(limits, (given) => {
        const stages = planStages(given)
        for (const [index, stage] of stages.entries()) {
          const memory = stage.partSize * stage.partsPerWindow * stage.windows
          expect(stage.partSize).toBeGreaterThanOrEqual(stages[index - 1]?.partSize ?? 0)
          expect(stage.windows).toBeGreaterThanOrEqual(2)
          expect(stage.turns).toBeGreaterThanOrEqual(1)
          expect(memory).toBeLessThanOrEqual(Math.max(given.queue * given.partSize, 2 * stage.partSize))
        }
      }),
    )
  })

  it('reach the largest object of S3 by default', () => {
    expect(capacity(planStages(defaults))).toBe(maxObjectBytes)
    expect(cut(maxObjectBytes, defaults).parts).toBeLessThanOrEqual(10_000)
  })

  it('by default pass through 32 MiB', () => {
    expect(planStages(defaults)[0]).toEqual({ partSize: 8 * MiB, partsPerWindow: 2, windows: 2, turns: 500 })
  })

  it('stay as they are for dumps of usual size', () => {
    expect(cut(7 * GiB, defaults).largest).toBe(8 * MiB)
    expect(cut(100 * GiB, defaults).largest).toBe(64 * MiB)
  })

  it('hold 100 GiB where a service takes 1,000 parts', () => {
    expect(capacity(planStages({ ...defaults, maxParts: 1000 }))).toBeGreaterThan(100 * GiB)
  })
})

import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { createFakeClock } from '../testing/fake-clock.js'
import { rateLimit, throttle } from './throttle.js'

describe('throttle', () => {
  it('lets a stream through at its bandwidth', async () => {
    const clock = createFakeClock()
    const ctx = createRunContext({ clock })
    const seen: [ms: number, bytes: number][] = []
    const read = async (): Promise<void> => {
      let bytes = 0
      for await (const chunk of throttle(streamOf(Buffer.alloc(2_500)), { bytesPerSecond: 1_000 }, ctx)) {
        bytes += chunk.byteLength
        seen.push([clock.monotonic(), bytes])
      }
    }
    const reading = read()
    await clock.advance(1_000)
    expect(seen.at(-1)).toEqual([1_000, 1_000])
    await clock.advance(1_500)
    await reading
    expect(seen.at(-1)).toEqual([2_500, 2_500])
    expect(seen[0]).toEqual([100, 100])
  })

  it('shares a bandwidth between streams', async () => {
    const clock = createFakeClock()
    const ctx = createRunContext({ clock })
    const shared = rateLimit(1_000, clock)
    const reading = Promise.all(
      [1_000, 1_000].map(async (size) => {
        await readAll(throttle(streamOf(Buffer.alloc(size)), shared, ctx))
        return clock.monotonic()
      }),
    )
    await clock.advance(5_000)
    expect(Math.max(...(await reading))).toBe(2_000)
  })

  it('does not save up the time in which nothing came', async () => {
    const clock = createFakeClock()
    const rate = rateLimit(1_000, clock)
    const signal = new AbortController().signal
    await clock.advance(60_000)
    let taken = false
    void rate.take(500, signal).then(() => {
      taken = true
    })
    await clock.advance(499)
    expect(taken).toBe(false)
    await clock.advance(1)
    expect(taken).toBe(true)
  })

  it('rethrows the reason of an abort', async () => {
    const controller = new AbortController()
    const ctx = createRunContext({ clock: createFakeClock(), signal: controller.signal })
    const reading = readAll(throttle(streamOf(Buffer.alloc(100)), { bytesPerSecond: 1 }, ctx))
    controller.abort('enough')
    await expect(reading).rejects.toBe('enough')
  })

  it.each([0, -1, Number.NaN])('refuses a bandwidth of %d', (bytesPerSecond) => {
    expect(() => rateLimit(bytesPerSecond, createFakeClock())).toThrow(RangeError)
  })
})

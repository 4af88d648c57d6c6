import { describe, expect, it } from 'vitest'
import { createFakeClock } from './fake-clock.js'

const never = new AbortController().signal

describe('createFakeClock', () => {
  it('stands still until it is moved', async () => {
    const clock = createFakeClock(new Date('2026-03-01T12:00:00Z'))
    expect(clock.now().toISOString()).toBe('2026-03-01T12:00:00.000Z')
    await clock.advance(1_500)
    expect(clock.now().toISOString()).toBe('2026-03-01T12:00:01.500Z')
    expect(clock.monotonic()).toBe(1_500)
  })

  it('wakes sleepers in the order in which they are due, each at its own time', async () => {
    const clock = createFakeClock()
    const woken: string[] = []
    const sleeper = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms, never)
      woken.push(`${name} at ${clock.monotonic()}`)
    }
    void sleeper('late', 300)
    void sleeper('early', 100)
    void sleeper('first of two', 200)
    void sleeper('second of two', 200)
    expect(clock.sleepers).toBe(4)
    await clock.advance(299)
    expect(woken).toEqual(['early at 100', 'first of two at 200', 'second of two at 200'])
    await clock.advance(1)
    expect(woken.at(-1)).toBe('late at 300')
  })

  it('wakes sleepers that lie down meanwhile', async () => {
    const clock = createFakeClock()
    let turns = 0
    const loop = async (): Promise<void> => {
      for (; turns < 10; turns++) await clock.sleep(10, never)
    }
    void loop()
    await clock.advance(55)
    expect(turns).toBe(5)
    await clock.advance(1_000)
    expect(turns).toBe(10)
  })

  it('rejects with the reason when a sleep is aborted', async () => {
    const clock = createFakeClock()
    const controller = new AbortController()
    const sleep = clock.sleep(1_000, controller.signal)
    controller.abort('enough')
    await expect(sleep).rejects.toBe('enough')
    await expect(clock.sleep(1, controller.signal)).rejects.toBe('enough')
    expect(clock.sleepers).toBe(0)
  })

  it('lets the wall clock jump without waking anybody', async () => {
    const clock = createFakeClock(new Date(0))
    const sleep = clock.sleep(1_000, never)
    clock.jump(-3_600_000)
    expect(clock.now().getTime()).toBe(-3_600_000)
    expect([clock.monotonic(), clock.sleepers]).toEqual([0, 1])
    await clock.advance(1_000)
    await sleep
  })
})

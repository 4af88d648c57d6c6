import { describe, expect, it, vi } from 'vitest'
import { createFakeClock } from '../testing/fake-clock.js'
import { watchChild } from './child-watchdog.js'

describe('watchChild', () => {
  const ended = new AbortController()
  const child = { name: 'pg_dump', pid: 2 ** 30, waitsForUs: () => false, ended: ended.signal }

  it('goes by what it is told where the system does not tell', async () => {
    const clock = createFakeClock()
    const onTimeout = vi.fn()
    const touch = watchChild(child, { idleTimeoutMs: 1_000 }, clock, onTimeout)
    await clock.advance(900)
    touch()
    await clock.advance(999)
    expect(onTimeout).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(onTimeout).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: 'timed-out', message: 'pg_dump moved no byte for 1 s' }),
    )
  })

  it('holds nothing after the end of the child', async () => {
    const clock = createFakeClock()
    const onTimeout = vi.fn()
    watchChild(child, { idleTimeoutMs: 1_000, totalTimeoutMs: 2_000 }, clock, onTimeout)
    expect(clock.sleepers).toBe(2)
    ended.abort()
    expect(clock.sleepers).toBe(0)
    await clock.advance(10_000)
    expect(onTimeout).not.toHaveBeenCalled()
  })
})

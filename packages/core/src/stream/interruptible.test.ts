import { describe, expect, it } from 'vitest'
import { createInterruptible } from './interruptible.js'

const forever = new Promise<never>(() => {})

describe('createInterruptible', () => {
  it('settles as the work does while nothing happens', async () => {
    const { until } = createInterruptible()
    expect(await until(Promise.resolve(1))).toBe(1)
    await expect(until(Promise.reject(new Error('cut here')))).rejects.toThrow('cut here')
  })

  it('cuts work short, and all work after it', async () => {
    const { until, interrupt } = createInterruptible()
    const working = until(forever)
    interrupt('first')
    interrupt('second')
    await expect(working).rejects.toBe('first')
    await expect(until(Promise.resolve(1))).rejects.toBe('first')
  })
})

import { describe, expect, it } from 'vitest'
import { ask, canAsk } from './ask.js'
import { testWorld } from './testing/test-world.js'

const never = new AbortController().signal

describe('ask', () => {
  it('reads one line, without spaces at its ends', async () => {
    const world = testWorld({ terminal: true, typed: ['  yes '] })
    expect(await ask('Go on?', world, never)).toBe('yes')
    expect(world.err()).toBe('Go on? ')
  })

  it('returns nothing when the input ends', async () => {
    expect(await ask('Go on?', testWorld({ terminal: true }), never)).toBeUndefined()
  })

  it('takes an empty line for an answer', async () => {
    expect(await ask('Go on?', testWorld({ terminal: true, typed: [''] }), never)).toBe('')
  })

  it('gives up when interrupted', async () => {
    const stop = new AbortController()
    const world = { ...testWorld({ terminal: true }), stdin: silent }
    const answer = ask('Go on?', world, stop.signal)
    stop.abort(new Error('interrupted'))
    await expect(answer).rejects.toThrow('interrupted')
    await expect(ask('Go on?', world, stop.signal)).rejects.toThrow('interrupted')
  })
})

describe('canAsk', () => {
  it('needs a terminal on both ends', () => {
    expect([canAsk(testWorld({ terminal: true })), canAsk(testWorld())]).toEqual([true, false])
  })
})

/** Somebody who never types. */
const silent = {
  isTTY: true,
  [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
}

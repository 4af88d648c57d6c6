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

describe('a hidden question', () => {
  it('reads key by key, without showing them, and knows the backspace', async () => {
    const modes: boolean[] = []
    const world = testWorld({ terminal: true })
    const keys = async function* () {
      yield* [' se', 'x', '\u007f', 'cret', '\r']
    }
    const stdin = { isTTY: true, setRawMode: (raw: boolean) => void modes.push(raw), [Symbol.asyncIterator]: keys }
    expect(await ask('Password:', { ...world, stdin }, never, { hidden: true })).toBe(' secret')
    expect(modes).toEqual([true, false])
    expect(world.err()).toBe('Password: \n')
  })

  it('takes Ctrl-C for an interruption, and Ctrl-D for the end', async () => {
    const stop = new AbortController()
    const world = {
      ...testWorld({ terminal: true, typed: ['\u0003'] }),
      interrupt: () => stop.abort(new Error('stop')),
    }
    await expect(ask('Password:', world, stop.signal, { hidden: true })).rejects.toThrow('stop')
    const ended = {
      isTTY: true,
      [Symbol.asyncIterator]: async function* () {
        yield '\u0004'
      },
    }
    expect(await ask('Password:', { ...testWorld(), stdin: ended }, never, { hidden: true })).toBeUndefined()
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

import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { isBackupError } from '../backup-error.js'
import { type ByteStream, readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.js'
import { broadcast } from './broadcast.js'
import { giveBack, lend } from './lent-block.js'

const options = { bufferBytes: 100, stallTimeoutMs: 1_000 }

/** A source that says what became of it. */
function watched(chunks: readonly Uint8Array[], atEnd: () => void | Promise<void> = () => {}) {
  const state = { pulled: 0, returned: false }
  async function* run(): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of chunks) {
        state.pulled += chunk.byteLength
        yield chunk
      }
      await atEnd()
    } finally {
      state.returned = true
    }
  }
  return { stream: run(), state }
}

const iteratorOf = (stream: ByteStream): AsyncIterator<Uint8Array> => stream[Symbol.asyncIterator]()
const tens = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => Buffer.alloc(10, i))
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const isStalled = (error: unknown): boolean => isBackupError(error, 'stalled')

async function readAtPace(stream: ByteStream, pauseMs: number, clock: FakeClock): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) {
    chunks.push(chunk)
    await clock.sleep(pauseMs, new AbortController().signal)
  }
  return Buffer.concat(chunks)
}

describe('broadcast', () => {
  it('gives every reader all of it, however fast each is', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 30 })
    const paces = fc.array(fc.nat(500), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(chunks, paces, fc.integer({ min: 1, max: 200 }), async (given, pauses, bufferBytes) => {
        const clock = createFakeClock()
        const { stream, state } = watched(given)
        const streams = broadcast(stream, pauses.length, { ...options, bufferBytes }, createRunContext({ clock }))
        const reading = Promise.all(pauses.map((pause, i) => readAtPace(streams[i]!, pause, clock)))
        await clock.advance(30 * 500)
        for (const read of await reading) expect(read).toEqual(Buffer.concat(given))
        expect(state.returned).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('gives a lent chunk back when every reader is done with it, and not before', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 })
    const paces = fc.array(fc.nat(500), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(sizes, paces, async (given, pauses) => {
        const clock = createFakeClock()
        let back = 0
        const spoil = (block: Uint8Array): void => {
          block.fill(0xee)
          back++
        }
        const chunks = given.map((size, index) => lend(Buffer.alloc(size, index), spoil))
        const streams = broadcast(streamOf(...chunks), pauses.length, options, createRunContext({ clock }))
        const read = async (stream: ByteStream, pauseMs: number): Promise<string> => {
          let seen = ''
          for await (const chunk of stream) {
            await clock.sleep(pauseMs, new AbortController().signal)
            seen += Buffer.from(chunk).toString('hex')
            giveBack(chunk)
          }
          return seen
        }
        const reading = Promise.all(pauses.map((pause, i) => read(streams[i] as ByteStream, pause)))
        await clock.advance(30 * 500)
        const expected = given.map((size, index) => Buffer.alloc(size, index).toString('hex')).join('')
        for (const seen of await reading) expect(seen).toBe(expected)
        expect(back).toBe(given.length)
      }),
      { numRuns: 60 },
    )
  })

  it('pulls nothing before the first read, and no more than the slowest has room for', async () => {
    const { stream, state } = watched(tens(50))
    const [fast, slow] = broadcast(stream, 2, options, createRunContext({ clock: createFakeClock() })).map(iteratorOf)
    await turn()
    expect(state.pulled).toBe(0)
    void (async () => {
      for (let i = 0; i < 50; i++) await fast!.next()
    })()
    await turn()
    expect(state.pulled).toBe(100)
    await slow!.next()
    await turn()
    expect(state.pulled).toBe(110)
  })

  it('shares chunks instead of copying them', async () => {
    const chunk = Buffer.alloc(10)
    const [a, b] = broadcast(streamOf(chunk), 2, options, createRunContext()).map(iteratorOf)
    expect((await a!.next()).value).toBe(chunk)
    expect((await b!.next()).value).toBe(chunk)
  })

  it('goes on without a reader that left', async () => {
    const { stream } = watched(tens(50))
    const [stays, leaves] = broadcast(stream, 2, options, createRunContext({ clock: createFakeClock() }))
    const reading = readAll(stays!)
    for await (const chunk of leaves!) {
      expect(chunk).toEqual(Buffer.alloc(10, 0))
      break
    }
    expect(await reading).toHaveLength(500)
    expect(await iteratorOf(leaves!).next()).toEqual({ done: true, value: undefined })
  })

  it('returns the source when nobody is left, even one that hangs', async () => {
    const started = watched(tens(50))
    const both = broadcast(started.stream, 2, options, createRunContext()).map(iteratorOf)
    await both[0]!.next()
    await both[0]!.return?.()
    expect(started.state.returned).toBe(false)
    await both[1]!.return?.()
    await turn()
    expect(started.state.returned).toBe(true)

    const hanging = watched([], () => new Promise(() => {}))
    const [reader] = broadcast(hanging.stream, 1, options, createRunContext()).map(iteratorOf)
    const pending = reader!.next()
    await turn()
    await reader!.return?.()
    expect(await pending).toEqual({ done: true, value: undefined })
  })

  it('drops a reader that takes nothing, and tells its owner', async () => {
    const clock = createFakeClock()
    const onStalled = vi.fn()
    const { stream } = watched(tens(50))
    const [good, stuck] = broadcast(stream, 2, { ...options, onStalled }, createRunContext({ clock }))
    const stuckReader = iteratorOf(stuck!)
    await stuckReader.next()
    const reading = readAll(good!)
    await clock.advance(999)
    expect(onStalled).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(onStalled).toHaveBeenCalledExactlyOnceWith(1, expect.toSatisfy(isStalled))
    expect(await reading).toHaveLength(500)
    await expect(stuckReader.next()).rejects.toSatisfy(isStalled)
  })

  it('counts the time from the last chunk that was taken', async () => {
    const clock = createFakeClock()
    const { stream } = watched(tens(30))
    const [good, slow] = broadcast(stream, 2, options, createRunContext({ clock }))
    const reading = Promise.all([readAll(good!), readAtPace(slow!, 900, clock)])
    await clock.advance(30 * 900)
    expect((await reading).map((read) => read.length)).toEqual([300, 300])
  })

  it('drops each of several at its own time', async () => {
    const clock = createFakeClock()
    const onStalled = vi.fn()
    const { stream } = watched(tens(50))
    const ctx = createRunContext({ clock })
    const [first, second] = broadcast(stream, 2, { ...options, onStalled }, ctx).map(iteratorOf)
    await first!.next()
    await clock.advance(500)
    await second!.next()
    await clock.advance(500)
    expect(onStalled.mock.calls.map(([reader]) => reader)).toEqual([0])
    await clock.advance(500)
    expect(onStalled.mock.calls.map(([reader]) => reader)).toEqual([0, 1])
  })

  it('drops the last reader too, and gives the source back', async () => {
    const clock = createFakeClock()
    const { stream, state } = watched(tens(50))
    const [only] = broadcast(stream, 1, options, createRunContext({ clock })).map(iteratorOf)
    await only!.next()
    await clock.advance(1_000)
    await expect(only!.next()).rejects.toSatisfy(isStalled)
    expect(state.returned).toBe(true)
  })

  it('drops a reader that leaves the last bytes where they are', async () => {
    const clock = createFakeClock()
    const onStalled = vi.fn()
    const ctx = createRunContext({ clock })
    const [good, stuck] = broadcast(streamOf(...tens(3)), 2, { ...options, onStalled }, ctx)
    const stuckReader = iteratorOf(stuck!)
    await stuckReader.next()
    expect(await readAll(good!)).toHaveLength(30)
    await clock.advance(1_000)
    expect(onStalled).toHaveBeenCalledOnce()
    await expect(stuckReader.next()).rejects.toSatisfy(isStalled)
  })

  it('passes an error of the source to every reader', async () => {
    const { stream } = watched(tens(3), () => {
      throw new Error('cut here')
    })
    const streams = broadcast(stream, 2, options, createRunContext())
    const results = await Promise.allSettled(streams.map((each) => readAll(each)))
    expect(results.map((result) => result.status === 'rejected' && result.reason.message)).toEqual([
      'cut here',
      'cut here',
    ])
  })

  it('rethrows the reason of an abort in every reader, although the source hangs', async () => {
    const controller = new AbortController()
    const { stream } = watched(tens(1), () => new Promise(() => {}))
    const streams = broadcast(stream, 2, options, createRunContext({ signal: controller.signal }))
    const reading = Promise.allSettled(streams.map((each) => readAll(each)))
    await turn()
    controller.abort('enough')
    expect(await reading).toEqual(Array(2).fill({ status: 'rejected', reason: 'enough' }))
  })

  it('does not pull when the run was aborted before', async () => {
    const { stream, state } = watched(tens(1))
    const [only] = broadcast(stream, 1, options, createRunContext({ signal: AbortSignal.abort('enough') }))
    await expect(readAll(only!)).rejects.toBe('enough')
    expect(state.pulled).toBe(0)
  })

  it('gives back a source that is no generator', async () => {
    const bare: ByteStream = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }
    const [only] = broadcast(bare, 1, options, createRunContext()).map(iteratorOf)
    const pending = only!.next()
    await only!.return?.()
    expect(await pending).toEqual({ done: true, value: undefined })
  })
})

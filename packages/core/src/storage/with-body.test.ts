import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { trackBody, waitingBody } from '../testing/storage/bodies.js'
import { withBody } from './with-body.js'

const never = new AbortController().signal

describe('withBody', () => {
  it('lends the whole body and returns what came of it', async () => {
    const body = trackBody(streamOf(Buffer.from('a'), Buffer.from('b')))
    expect((await withBody(body, never, readAll)).toString()).toBe('ab')
    await body.closed
  })

  it('returns the iterator of a body that is left early', async () => {
    const body = trackBody(streamOf(Buffer.from('a')))
    await expect(withBody(body, never, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused')
    await body.closed
    expect(body.pulls).toBe(0)
  })

  it('throws the reason of an abort although the body hangs', async () => {
    const controller = new AbortController()
    const { body, waiting } = waitingBody(Buffer.from('a'))
    const reading = withBody(body, controller.signal, readAll)
    reading.catch(() => {})
    await waiting
    controller.abort('any value')
    await expect(reading).rejects.toBe('any value')
    await body.closed
  })

  it('does not ask for more after an abort', async () => {
    const controller = new AbortController()
    const body = trackBody(streamOf(Buffer.from('a'), Buffer.from('b')))
    const reading = withBody(body, controller.signal, async (chunks) => {
      for await (const _ of chunks) controller.abort('enough')
    })
    await expect(reading).rejects.toBe('enough')
    expect(body.pulls).toBe(1)
  })

  it('takes a body whose iterator cannot be returned', async () => {
    const bare = { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true as const, value: undefined }) }) }
    await expect(withBody(bare, never, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused')
  })
})

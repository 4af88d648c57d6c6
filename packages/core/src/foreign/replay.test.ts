import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { replayable } from './replay.js'

const chunks = Array.from({ length: 10 }, (_, n) => Buffer.alloc(10, n))
const all = Buffer.concat(chunks)

describe('a stream that comes once', () => {
  it('is read again from its start, whatever was read before', async () => {
    const { open } = replayable(streamOf(...chunks), 'stdin')
    for (const wanted of [1, 5, 3]) {
      let seen = 0
      for await (const _ of open()) if (++seen === wanted) break
    }
    expect(await readAll(open())).toEqual(all)
    expect(await readAll(open())).toEqual(all)
  })

  it('loses nothing that an earlier reader had asked for and did not wait for', async () => {
    const { open } = replayable(streamOf(...chunks), 'stdin')
    const impatient = open()[Symbol.asyncIterator]()
    void impatient.next()
    void impatient.next()
    expect(await readAll(open())).toEqual(all)
  })

  it('cannot be read again once its start is gone, and does not keep it for ever', async () => {
    const { open } = replayable(streamOf(...chunks), 'stdin', 35)
    expect(await readAll(open())).toEqual(all)
    expect(open).toThrow(expect.objectContaining({ code: 'restore-refused', message: expect.stringContaining('once') }))
  })

  it('tells a reader that was overtaken', async () => {
    const { open } = replayable(streamOf(...chunks), 'stdin', 35)
    const slow = open()[Symbol.asyncIterator]()
    await slow.next()
    await readAll(open())
    await expect(slow.next()).rejects.toMatchObject({ code: 'restore-refused' })
  })

  it('fails for every reader once it failed', async () => {
    async function* failing() {
      yield Buffer.from('some')
      throw new Error('the pipe broke')
    }
    const { open } = replayable(failing(), 'stdin')
    await expect(readAll(open())).rejects.toThrow('the pipe broke')
    await expect(readAll(open())).rejects.toThrow('the pipe broke')
  })
})

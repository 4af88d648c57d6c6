import { Transform } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { lend } from '../stream/lent-block.js'
import { compressionFailed } from './damaged-data.js'
import { through, type ZlibStream } from './through.js'

const damaged = (reason: string, cause?: unknown): Error => new Error(`damaged: ${reason}`, { cause })

function transform(work: (chunk: Buffer) => Buffer, bytesUsed = Number.NaN): ZlibStream {
  let used = 0
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      used += chunk.length
      try {
        done(null, work(chunk))
      } catch (error) {
        done(error as Error)
      }
    },
  })
  return Object.defineProperty(stream, 'bytesWritten', {
    get: () => (Number.isNaN(bytesUsed) ? used : bytesUsed),
  }) as unknown as ZlibStream
}

describe('through', () => {
  it('passes what the transform makes of it', async () => {
    const upper = transform((chunk) => Buffer.from(chunk.toString().toUpperCase()))
    const stream = through(streamOf(Buffer.from('ab'), Buffer.from('cd')), upper, damaged)
    expect((await readAll(stream)).toString()).toBe('ABCD')
  })

  it('gives lent chunks back when they are used, and none that may still be read', async () => {
    const back: string[] = []
    const lent = (text: string): Buffer => lend(Buffer.from(text), (block) => back.push(block.toString()))
    const failing = transform((chunk) => {
      if (chunk.toString() === 'cd') throw new Error('out of memory')
      return chunk
    })
    await expect(readAll(through(streamOf(lent('ab'), lent('cd')), failing, damaged))).rejects.toThrow('damaged')
    expect(back).toEqual(['ab'])
  })

  it('explains a failure of the transform, with its cause', async () => {
    const cause = new Error('out of memory')
    const failing = transform(() => {
      throw cause
    })
    await expect(readAll(through(streamOf(Buffer.from('ab')), failing, damaged))).rejects.toMatchObject({
      message: 'damaged: they cannot be processed',
      cause,
    })
  })

  it('tells a compressor that failed from damaged data', async () => {
    const failing = transform(() => {
      throw new Error('out of memory')
    })
    await expect(readAll(through(streamOf(Buffer.from('ab')), failing, compressionFailed))).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('(out of memory)'),
    })
    const short = transform((chunk) => chunk, 1)
    await expect(readAll(through(streamOf(Buffer.from('ab')), short, compressionFailed))).rejects.toThrow('compressed')
  })

  it('throws when the transform did not use all it was given', async () => {
    const short = transform((chunk) => chunk, 1)
    await expect(readAll(through(streamOf(Buffer.from('ab')), short, damaged))).rejects.toThrow('follows their end')
  })

  it('throws when the transform ends before the source', async () => {
    const early = transform((chunk) => chunk)
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('ab')
      early.push(null)
      await new Promise(() => {})
    }
    await expect(readAll(through(source(), early, damaged))).rejects.toThrow('follows their end')
  })
})

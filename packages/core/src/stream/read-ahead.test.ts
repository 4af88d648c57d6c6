import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ByteStream, streamOf } from '../byte-stream.js'
import { giveBack } from './lent-block.js'
import { readAhead } from './read-ahead.js'

async function collect(stream: ByteStream): Promise<Buffer[]> {
  const blocks: Buffer[] = []
  for await (const block of stream) blocks.push(Buffer.from(block))
  return blocks
}

/** One byte at a time, counting those that were asked for; `released` once nobody reads it any more. */
function counted(length: number): { readonly stream: ByteStream; asked: number; released: boolean } {
  const source = { asked: 0, released: false, stream: bytes() }
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < length; at++) {
        source.asked++
        yield Uint8Array.of(at)
      }
    } finally {
      source.released = true
    }
  }
  return source
}

async function settle(): Promise<void> {
  for (let n = 0; n < 20; n++) await turn()
}

describe('readAhead', () => {
  it('keeps every byte in order, in blocks of one size but for the last', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }))
    const sizes = fc.record({ blockBytes: fc.integer({ min: 1, max: 64 }), blocks: fc.integer({ min: 1, max: 5 }) })
    await fc.assert(
      fc.asyncProperty(chunks, sizes, async (given, how) => {
        const blocks = await collect(readAhead(streamOf(...given), how))
        expect(Buffer.concat(blocks)).toEqual(Buffer.concat(given))
        expect(blocks.slice(0, -1).every((block) => block.byteLength === how.blockBytes)).toBe(true)
        expect(blocks.every((block) => block.byteLength > 0)).toBe(true)
      }),
    )
  })

  it('reads while the reader is busy, and no further than its blocks', async () => {
    const source = counted(100)
    const blocks = readAhead(source.stream, { blockBytes: 10, blocks: 2 })
    expect((await blocks.next()).value?.[0]).toBe(0)
    await settle()
    expect(source.asked).toBe(30)
    expect((await blocks.next()).value?.[0]).toBe(10)
    await settle()
    expect(source.asked).toBe(40)
  })

  it('copies: the source may fill its chunk again', async () => {
    const chunk = Buffer.alloc(3)
    const reusing = async function* (): AsyncGenerator<Uint8Array> {
      for (const text of ['one', 'two', 'six']) {
        chunk.write(text)
        yield chunk
      }
    }
    expect(Buffer.concat(await collect(readAhead(reusing(), { blockBytes: 3 }))).toString()).toBe('onetwosix')
  })

  it('fills a block again when it was given back, and not before', async () => {
    const blocks = readAhead(counted(100).stream, { blockBytes: 10, blocks: 1 })
    const next = async (): Promise<Uint8Array> => {
      const { value } = await blocks.next()
      await settle()
      return value as Uint8Array
    }
    const [first, second, third] = [await next(), await next(), await next()]
    expect([first, second, third].map((block) => block[0])).toEqual([0, 10, 20])
    giveBack(first)
    await next() // was being filled meanwhile
    expect(first[0]).toBe(40)
    expect(await next()).toBe(first)
    expect([second[0], third[0]]).toEqual([10, 20])
    await blocks.return(undefined)
  })

  it('refuses sizes of nothing', async () => {
    for (const size of [{ blockBytes: 0 }, { blocks: 0 }, { blocks: Number.NaN }]) {
      await expect(collect(readAhead(streamOf(), size))).rejects.toMatchObject({ code: 'internal' })
    }
  })

  it('throws what the source throws', async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3)
      throw new Error('cut here')
    }
    await expect(collect(readAhead(broken(), { blockBytes: 2 }))).rejects.toThrow('cut here')
  })

  it('releases the source of a reader that stops early', async () => {
    const source = counted(100)
    for await (const _ of readAhead(source.stream, { blockBytes: 10, blocks: 2 })) break
    expect(source.released).toBe(true)
    expect(source.asked).toBeLessThan(30)
  })

  it('handles a failure that comes after the reader has stopped', async () => {
    const late = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(2)
      await settle()
      throw new Error('too late to matter')
    }
    for await (const _ of readAhead(late(), { blockBytes: 2 })) break
  })
})

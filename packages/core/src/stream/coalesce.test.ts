import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ByteStream, streamOf } from '../byte-stream.js'
import { coalesce } from './coalesce.js'

async function collect(source: ByteStream, blockBytes: number): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = []
  for await (const block of coalesce(source, blockBytes)) blocks.push(block)
  return blocks
}

describe('coalesce', () => {
  it('keeps every byte in order, and makes only the last block small, and those before a large chunk', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }))
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 64 }), async (given, blockBytes) => {
        const blocks = await collect(streamOf(...given), blockBytes)
        expect(Buffer.concat(blocks)).toEqual(Buffer.concat(given))
        const large: Uint8Array[] = given.filter((chunk) => chunk.byteLength >= blockBytes)
        const isFree = (block: Uint8Array, at: number): boolean =>
          block.byteLength < blockBytes && !large.includes(blocks[at + 1] as Uint8Array)
        expect(blocks.slice(0, -1).some(isFree)).toBe(false)
        expect(blocks.every((block) => block.byteLength > 0)).toBe(true)
      }),
    )
  })

  it('passes a large chunk uncopied', async () => {
    const large = new Uint8Array(100)
    const small = new Uint8Array(1)
    const blocks = await collect(streamOf(small, small, large, small), 50)
    expect(blocks.map((block) => block.byteLength)).toEqual([2, 100, 1])
    expect(blocks[1]).toBe(large)
  })

  it('throws what the source throws', async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3)
      throw new Error('cut here')
    }
    await expect(collect(broken(), 10)).rejects.toThrow('cut here')
  })
})

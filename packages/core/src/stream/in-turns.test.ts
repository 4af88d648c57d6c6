import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { streamOf } from '../byte-stream.js'
import { inTurns } from './in-turns.js'

describe('inTurns', () => {
  it('keeps every byte in order, in chunks of the size at most', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.integer({ min: 1, max: 16 }),
        async (given, size) => {
          const chunks: Uint8Array[] = []
          for await (const chunk of inTurns(streamOf(...given), size)) chunks.push(chunk)
          expect(Buffer.concat(chunks)).toEqual(Buffer.concat(given))
          expect(chunks.every(({ byteLength }) => byteLength <= size)).toBe(true)
        },
      ),
    )
  })

  it('lets others have a turn before each chunk', async () => {
    let turns = 0
    const count = (): void => {
      turns++
      again = setImmediate(count)
    }
    let again = setImmediate(count)
    try {
      let chunks = 0
      for await (const _ of inTurns(streamOf(Buffer.alloc(8)), 1)) expect(turns).toBeGreaterThanOrEqual(++chunks)
      expect(chunks).toBe(8)
    } finally {
      clearImmediate(again)
    }
  })
})

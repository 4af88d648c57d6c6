import { streamOf } from '@holdfast/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holdBack } from './dump-streams.js'

async function* thenThrow(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
  throw new Error('damage')
}

describe('holdBack', () => {
  it('passes everything on when the source ends well', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5 })), async (chunks) => {
        const passed: Uint8Array[] = []
        for await (const chunk of holdBack(streamOf(...chunks))) passed.push(chunk)
        expect(Buffer.concat(passed).equals(Buffer.concat(chunks))).toBe(true)
      }),
    )
  })

  it('never lets the last byte out of a source that throws, though empty chunks follow it', async () => {
    const passed: Uint8Array[] = []
    const reading = async (): Promise<void> => {
      for await (const chunk of holdBack(thenThrow([Buffer.from('abc'), Buffer.from('d'), Buffer.alloc(0)])))
        passed.push(chunk)
    }
    await expect(reading()).rejects.toThrow('damage')
    expect(Buffer.concat(passed).toString()).toBe('abc')
  })
})

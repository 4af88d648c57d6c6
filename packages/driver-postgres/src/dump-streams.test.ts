import { isBackupError, streamOf } from '@holdfast/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holdBack, requireTrailer } from './dump-streams.js'

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

describe('requireTrailer', () => {
  const trailer = '-- PostgreSQL database dump complete'
  const read = async (chunks: readonly Uint8Array[]): Promise<number> => {
    let bytes = 0
    for await (const chunk of requireTrailer(streamOf(...chunks), trailer)) bytes += chunk.byteLength
    return bytes
  }

  it('finds it wherever chunks end', async () => {
    const text = Buffer.from(`${'x'.repeat(2000)}\n--\n${trailer}\n--\n\n\\unrestrict abc\n`)
    for (const size of [1, 13, 511, 512, 513, 5000]) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
        text.subarray(index * size, (index + 1) * size),
      )
      expect(await read(chunks)).toBe(text.length)
    }
  })

  it.each(['', 'short', `${trailer}${'x'.repeat(600)}`, trailer.slice(0, -1)])(
    'throws where it is missing',
    async (text) => {
      await expect(read([Buffer.from(text)])).rejects.toSatisfy((error) => isBackupError(error, 'corrupt'))
    },
  )
})

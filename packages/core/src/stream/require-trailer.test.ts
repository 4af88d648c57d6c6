import { describe, expect, it } from 'vitest'
import { isBackupError } from '../backup-error.js'
import { streamOf } from '../byte-stream.js'
import { requireTrailer } from './require-trailer.js'

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

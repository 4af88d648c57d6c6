import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { meter } from './meter.js'

describe('meter', () => {
  it('counts, hashes and remembers the end of whatever passes', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 700 }))
    await fc.assert(
      fc.asyncProperty(chunks, async (given) => {
        const whole = Buffer.concat(given)
        const totals: number[] = []
        const measured = meter(streamOf(...given), { sha256: true, onBytes: (total) => totals.push(total) })
        expect(await readAll(measured.stream)).toEqual(whole)
        expect(measured.result()).toEqual({
          bytes: whole.length,
          sha256: createHash('sha256').update(whole).digest('hex'),
        })
        expect(measured.tail()).toEqual(whole.subarray(-512))
        expect(totals.at(-1) ?? 0).toBe(whole.length)
      }),
    )
  })

  it('leaves the hash out when nobody asked for it', async () => {
    const { stream, result } = meter(streamOf(Buffer.from('abc')), { sha256: false })
    await readAll(stream)
    expect(result()).toEqual({ bytes: 3 })
  })

  it('has no result for a stream that has not ended, or was cut', async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abc')
      throw new Error('cut here')
    }
    const { stream, result } = meter(broken(), { sha256: true })
    expect(result).toThrow('has not ended')
    await expect(readAll(stream)).rejects.toThrow('cut here')
    expect(result).toThrow('has not ended')
  })
})

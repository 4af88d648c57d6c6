import { type ByteStream, readAll, streamOf } from '@holdfast/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readBody } from './body-reader.js'

describe('a body read in stretches', () => {
  it('loses and repeats nothing, wherever it is cut', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(chunks, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), async (given, limits) => {
        const whole = Buffer.concat(given)
        const body = readBody(streamOf(...given), () => {})
        const stretches: Buffer[] = []
        for (let turn = 0; !(await body.ended()); turn++) {
          const limit = limits[turn % limits.length] as number
          const stretch = await readAll(body.take(limit))
          expect(stretch.length).toBe(Math.min(limit, whole.length - Buffer.concat(stretches).length))
          stretches.push(stretch)
        }
        expect(Buffer.concat(stretches).equals(whole)).toBe(true)
        expect(body.bytes).toBe(whole.length)
      }),
    )
  })

  it('tells of an error before it is rethrown', async () => {
    const cut = new Error('cut')
    async function* broken(): ByteStream {
      yield Buffer.from('x')
      throw cut
    }
    const told: unknown[] = []
    const body = readBody(broken(), (error) => told.push(error))
    await expect(readAll(body.take(10))).rejects.toBe(cut)
    expect(told).toEqual([cut])
  })
})

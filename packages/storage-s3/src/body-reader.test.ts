import { type ByteStream, streamOf } from '@holdfast/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readBody } from './body-reader.js'

describe('a body read into buffers', () => {
  it('loses and repeats nothing, wherever it is cut', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(chunks, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), async (given, sizes) => {
        const whole = Buffer.concat(given)
        const body = readBody(streamOf(...given), () => {})
        let read = Buffer.alloc(0)
        for (let turn = 0; !(await body.ended()); turn++) {
          const target = Buffer.alloc(sizes[turn % sizes.length] as number)
          const filled = await body.fill(target)
          expect(filled).toBe(Math.min(target.length, whole.length - read.length))
          read = Buffer.concat([read, target.subarray(0, filled)])
        }
        expect(read.equals(whole)).toBe(true)
        expect(body.bytes).toBe(whole.length)
        expect(await body.fill(Buffer.alloc(5))).toBe(0)
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
    await expect(body.fill(Buffer.alloc(10))).rejects.toBe(cut)
    expect(told).toEqual([cut])
  })
})

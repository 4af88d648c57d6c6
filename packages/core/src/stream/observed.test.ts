import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { systemClock } from '../run-context.js'
import { observed } from './observed.js'

const bytes = Buffer.alloc(20 * 1024 * 1024, 'observed ')

async function* chunks(onChunk?: (index: number) => void): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1024 * 1024) {
    onChunk?.(at / 1024 / 1024)
    yield bytes.subarray(at, at + 1024 * 1024)
  }
}

describe('observed', () => {
  it('shows the same bytes to both', async () => {
    const { stream, result } = observed(chunks(), (body) => readAll(body), systemClock)
    expect((await readAll(stream)).equals(bytes)).toBe(true)
    expect((await result).equals(bytes)).toBe(true)
  })

  it('waits for a slow observer, so that memory stays flat', async () => {
    let seen = 0
    let ahead = 0
    const look = async (body: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const _ of body) {
        for (let turn = 0; turn < 5; turn++) await Promise.resolve()
        seen++
      }
    }
    const source = chunks((index) => {
      ahead = Math.max(ahead, index - seen)
    })
    const { stream, result } = observed(source, look, systemClock)
    await readAll(stream)
    await result
    expect(seen).toBe(20)
    expect(ahead).toBeLessThanOrEqual(6)
  })

  it('tells the observer when the reader leaves early', async () => {
    const { stream, result } = observed(chunks(), (body) => readAll(body), systemClock)
    for await (const _ of stream) break
    await expect(result).rejects.toMatchObject({ code: 'aborted' })
  })

  it('gives an error of the source to both', async () => {
    async function* damaged(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 10)
      throw new Error('damaged')
    }
    const { stream, result } = observed(damaged(), (body) => readAll(body), systemClock)
    await expect(readAll(stream)).rejects.toThrow('damaged')
    await expect(result).rejects.toThrow('damaged')
  })

  it('lets the reader go on when the observer has failed, or has seen enough', async () => {
    const failing = observed(chunks(), () => Promise.reject(new Error('blind')), systemClock)
    expect(await readAll(failing.stream)).toHaveLength(bytes.length)
    await expect(failing.result).rejects.toThrow('blind')
    const content = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
      for await (const chunk of body) return Buffer.from(chunk).toString('latin1', 0, 8)
      return ''
    }
    const brief = observed(streamOf(bytes), content, systemClock)
    expect(await readAll(brief.stream)).toHaveLength(bytes.length)
    expect(await brief.result).toBe('observed')
  })
})

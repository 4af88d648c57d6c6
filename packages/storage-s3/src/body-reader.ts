import type { ByteStream } from '@holdfast/core'

/** A stream that is read in stretches. */
export interface BodyReader {
  /** The next `limit` bytes, fewer where the stream ends. A chunk across the limit is split without copying. */
  take(limit: number): AsyncGenerator<Uint8Array, void, undefined>
  /** Whether nothing is left. Waits for the next byte or the end. */
  ended(): Promise<boolean>
  /** Bytes taken so far. */
  readonly bytes: number
}

/** @param onError - Told what the stream throws, before it is rethrown. */
export function readBody(body: ByteStream, onError: (error: unknown) => void): BodyReader {
  const iterator = body[Symbol.asyncIterator]()
  let rest: Uint8Array | undefined
  let bytes = 0

  async function next(): Promise<Uint8Array | undefined> {
    if (rest) {
      const chunk = rest
      rest = undefined
      return chunk
    }
    try {
      const step = await iterator.next()
      return step.done ? undefined : step.value
    } catch (error) {
      onError(error)
      throw error
    }
  }

  return {
    async *take(limit) {
      let left = limit
      while (left > 0) {
        const chunk = await next()
        if (!chunk) return
        const taken = chunk.byteLength > left ? chunk.subarray(0, left) : chunk
        if (taken.byteLength < chunk.byteLength) rest = chunk.subarray(left)
        left -= taken.byteLength
        bytes += taken.byteLength
        yield taken
      }
    },
    async ended() {
      for (;;) {
        const chunk = await next()
        if (!chunk) return true
        if (chunk.byteLength === 0) continue
        rest = chunk
        return false
      }
    },
    get bytes() {
      return bytes
    },
  }
}

import type { ByteStream } from '@holdfast/core'

/** A stream that is read into buffers. */
export interface BodyReader {
  /** Copies the next bytes into `target`. @returns How many: fewer than fit only where the stream has ended. */
  fill(target: Uint8Array): Promise<number>
  /** Whether nothing is left. Waits for the next byte or the end. */
  ended(): Promise<boolean>
  /** Bytes read so far. */
  readonly bytes: number
}

/** @param onError - Told what the stream throws, before it is rethrown. */
export function readBody(body: ByteStream, onError: (error: unknown) => void): BodyReader {
  const iterator = body[Symbol.asyncIterator]()
  let chunk: Uint8Array = new Uint8Array()
  let bytes = 0

  /** Whether the stream had another chunk. */
  async function advance(): Promise<boolean> {
    try {
      const step = await iterator.next()
      chunk = step.done ? new Uint8Array() : step.value
      return !step.done
    } catch (error) {
      onError(error)
      throw error
    }
  }

  return {
    async fill(target) {
      let filled = 0
      while (filled < target.byteLength) {
        if (chunk.byteLength === 0 && !(await advance())) break
        const taken = chunk.subarray(0, target.byteLength - filled)
        target.set(taken, filled)
        filled += taken.byteLength
        chunk = chunk.subarray(taken.byteLength)
      }
      bytes += filled
      return filled
    },
    async ended() {
      while (chunk.byteLength === 0) if (!(await advance())) return true
      return false
    },
    get bytes() {
      return bytes
    },
  }
}

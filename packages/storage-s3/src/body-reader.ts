import { type ByteStream, giveBack } from '@holdfast/core'

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
  let used = 0
  let bytes = 0

  /** Whether the stream had another chunk. What was in the one before is copied. */
  async function advance(): Promise<boolean> {
    giveBack(chunk)
    try {
      const step = await iterator.next()
      chunk = step.done ? new Uint8Array() : step.value
      used = 0
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
        if (used === chunk.byteLength && !(await advance())) break
        const taken = chunk.subarray(used, used + target.byteLength - filled)
        target.set(taken, filled)
        filled += taken.byteLength
        used += taken.byteLength
      }
      bytes += filled
      return filled
    },
    async ended() {
      while (used === chunk.byteLength) if (!(await advance())) return true
      return false
    },
    get bytes() {
      return bytes
    },
  }
}

import { createHash } from 'node:crypto'
import type { ByteStream } from '../byte-stream.js'

/** What {@link meter} measures. */
export interface MeterOptions {
  readonly sha256: boolean
  /** Receives the bytes so far after each chunk. */
  onBytes?(total: number): void
}

/** What a stream was. */
export interface Measured {
  readonly bytes: number
  /** 64 hexadecimal digits; present when it was asked for. */
  readonly sha256?: string
}

/** A stream that is measured while somebody else reads it. */
export interface Meter {
  readonly stream: ByteStream
  /** @throws {Error} before the stream has ended normally: a measure of half a stream is no measure. */
  result(): Measured
  /** The last bytes so far, 512 at most, where dumps carry the line that says they are whole. */
  tail(): Buffer
}

const tailBytes = 512

/** Counts and hashes a stream as it passes. Chunks pass uncopied. */
export function meter(source: ByteStream, options: MeterOptions): Meter {
  const hash = options.sha256 ? createHash('sha256') : undefined
  let bytes = 0
  let last = Buffer.alloc(0)
  let measured: Measured | undefined

  async function* measure(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      bytes += chunk.byteLength
      hash?.update(chunk)
      last = Buffer.concat([last, chunk.subarray(-tailBytes)]).subarray(-tailBytes)
      options.onBytes?.(bytes)
      yield chunk
    }
    measured = { bytes, ...(hash === undefined ? {} : { sha256: hash.digest('hex') }) }
  }

  return {
    stream: measure(),
    result() {
      if (measured === undefined) throw new Error('The stream has not ended: there is nothing to tell of it yet')
      return measured
    },
    tail: () => Buffer.from(last),
  }
}

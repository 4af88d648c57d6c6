import { setImmediate as turn } from 'node:timers/promises'
import type { ByteStream } from '../byte-stream.js'

/**
 * The same bytes in small chunks, each after a turn of the event loop. For work that takes milliseconds for a mebibyte:
 * without turns, what is ready to be written waits until it has been done, and whoever waits for that stands still.
 */
export async function* inTurns(source: ByteStream, bytes: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    for (let at = 0; at < chunk.byteLength; at += bytes) {
      await turn()
      yield chunk.subarray(at, at + bytes)
    }
  }
}

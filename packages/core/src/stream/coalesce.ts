import type { ByteStream } from '../byte-stream.js'
import { giveBack } from './lent-block.js'

/**
 * Joins small chunks into blocks of at least `blockBytes`, so that what follows is called seldom. Chunks that are large
 * enough already pass uncopied; what waits before one of them, and the last block, may be smaller.
 */
export async function* coalesce(source: ByteStream, blockBytes: number): AsyncGenerator<Uint8Array> {
  const small: Uint8Array[] = []
  let waiting = 0
  const joined = (): Uint8Array => {
    const block = Buffer.concat(small, waiting)
    small.forEach(giveBack)
    small.length = 0
    waiting = 0
    return block
  }
  for await (const chunk of source) {
    const isLarge = chunk.byteLength >= blockBytes
    if (!isLarge) {
      small.push(chunk)
      waiting += chunk.byteLength
    }
    if (waiting >= blockBytes || (isLarge && waiting > 0)) yield joined()
    if (isLarge) yield chunk
  }
  if (waiting > 0) yield joined()
}

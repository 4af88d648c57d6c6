import type { ByteStream } from '../byte-stream.js'

/**
 * Joins small chunks into blocks of at least `blockBytes` (the last may be smaller), so that what follows is called
 * seldom. Chunks that are large enough already pass uncopied.
 */
export async function* coalesce(source: ByteStream, blockBytes: number): AsyncGenerator<Uint8Array> {
  let small: Uint8Array[] = []
  let waiting = 0
  for await (const chunk of source) {
    if (chunk.byteLength === 0) continue
    small.push(chunk)
    waiting += chunk.byteLength
    if (waiting < blockBytes) continue
    yield joined(small, waiting)
    small = []
    waiting = 0
  }
  if (waiting > 0) yield joined(small, waiting)
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, size)
}

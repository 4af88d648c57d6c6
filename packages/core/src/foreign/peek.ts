import type { ByteStream } from '../byte-stream.js'

/** The beginning of a stream, and all of it. */
export interface Peeked {
  /** The first bytes; fewer than asked for only where the stream has no more. */
  readonly head: Buffer
  /** Everything from the start. To be read, or returned, by whoever peeked. */
  readonly stream: AsyncGenerator<Uint8Array>
}

/** Looks at the first bytes of a stream. */
export async function peek(source: ByteStream, bytes: number): Promise<Peeked> {
  const chunks = source[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let size = 0
  try {
    while (size < bytes) {
      const next = await chunks.next()
      if (next.done) break
      first.push(Uint8Array.from(next.value)) // the source may use its memory again
      size += next.value.byteLength
    }
  } catch (error) {
    await chunks.return?.()
    throw error
  }
  const stream = whole(first, chunks)
  await stream.next() // past its first, empty chunk: only what has begun gives the stream back when it is returned
  return { head: Buffer.concat(first).subarray(0, bytes), stream }
}

async function* whole(first: readonly Uint8Array[], chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield new Uint8Array()
    yield* first
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  } finally {
    await chunks.return?.()
  }
}

import { createCipheriv } from 'node:crypto'
import { type ByteStream, MiB } from '../../byte-stream.js'
import { lend } from '../../stream/lent-block.js'

/** `size` bytes that no compressor shrinks; the same for the same `seed`. */
export function incompressible(size: number, seed: number = 1): Buffer {
  const key = Buffer.alloc(16)
  key.writeUInt32BE(seed)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

/** Yields `bytes` in pieces of odd sizes, so that no boundary falls where a storage would like it. */
export async function* oddChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const sizes = [1, 65_537, 7, 1_000_003, 262_143, 8191, 3 * MiB + 1]
  for (let at = 0; at < bytes.byteLength; ) {
    for (const size of sizes) {
      yield bytes.subarray(at, at + size)
      at += size
    }
  }
}

/** Yields `bytes` in chunks that are overwritten as soon as the reader says that it is done with them. */
export async function* spoiltWhenGivenBack(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for await (const chunk of oddChunks(bytes)) yield lend(Buffer.from(chunk), (returned) => returned.fill(0xee))
}

/** Yields `size` bytes in pieces of at most 64 KiB, then throws `error`. */
export async function* brokenAfter(size: number, error: Error): AsyncGenerator<Uint8Array> {
  const block = incompressible(64 * 1024)
  for (let left = size; left > 0; left -= block.byteLength) yield block.subarray(0, Math.min(left, block.byteLength))
  throw error
}

/** A body that tells what was done with it. */
export interface TrackedBody extends AsyncIterable<Uint8Array> {
  /** How often a chunk was asked for. */
  readonly pulls: number
  /** Resolves once the body was read to its end, has thrown, or its iterator was returned. */
  readonly closed: Promise<void>
}

/** Watches how a storage treats a body. `return()` does not wait for a read that is under way, as a socket's would not. */
export function trackBody(source: ByteStream): TrackedBody {
  const closed = Promise.withResolvers<void>()
  let pulls = 0
  const iterate = (): AsyncIterator<Uint8Array> => {
    const inner = source[Symbol.asyncIterator]()
    return {
      async next() {
        pulls++
        try {
          const step = await inner.next()
          if (step.done) closed.resolve()
          return step
        } catch (error) {
          closed.resolve()
          throw error
        }
      },
      async return() {
        closed.resolve()
        inner.return?.().catch(() => {})
        return { done: true, value: undefined }
      },
    }
  }
  return {
    get pulls() {
      return pulls
    },
    closed: closed.promise,
    [Symbol.asyncIterator]: iterate,
  }
}

/** A body that waits after its bytes until it is let go. */
export interface WaitingBody {
  readonly body: TrackedBody
  /** Resolves when everything before the wait was taken and more was asked for. */
  readonly waiting: Promise<void>
  /** Lets the body end. */
  finish(): void
}

/** Yields `bytes`, then waits for `finish()` before it ends. */
export function waitingBody(bytes: Uint8Array): WaitingBody {
  const waiting = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  async function* produce(): AsyncGenerator<Uint8Array> {
    yield* oddChunks(bytes)
    waiting.resolve()
    await gate.promise
  }
  return { body: trackBody(produce()), waiting: waiting.promise, finish: () => gate.resolve() }
}

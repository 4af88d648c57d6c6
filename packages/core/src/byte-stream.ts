import { BackupError } from './backup-error.js'

/**
 * Bytes in order, pulled by whoever reads them.
 *
 * **The law:** a normal end means complete. A stream that was cut short, for whatever reason, MUST throw
 * instead of ending; a consumer may trust that what ended was whole. Everything else rests on this: an object
 * becomes visible, and a manifest is written, only because some stream ended normally.
 *
 * A chunk must not be changed: not by its readers, and not by its source, which fills its memory again only if it has
 * lent it and after it was given back (`giveBack`). Whoever gives a chunk back, or passes it on to one who may, and needs
 * it later makes a copy.
 * A consumer that stops early calls `return()` (as `for await` does), and the stream releases what it holds.
 */
export type ByteStream = AsyncIterable<Uint8Array>

/** Bytes in one mebibyte. */
export const MiB: number = 1024 * 1024

/** A stream of one buffer. */
export async function* streamOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/**
 * Reads a whole stream into memory. For small objects only: manifests, pins, leases.
 *
 * @param limit - Most bytes to accept.
 * @throws {BackupError} `corrupt` beyond the limit, so that a hostile object cannot fill the memory.
 */
export async function readAll(stream: ByteStream, limit: number = 64 * MiB): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.byteLength
    if (size > limit)
      throw new BackupError('corrupt', { message: `The object is larger than the ${limit} bytes it may have` })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** Gives a stream a last condition: it ends only after `condition` has resolved, and throws what `condition` throws. */
export async function* endAfter(stream: ByteStream, condition: Promise<unknown>): AsyncGenerator<Uint8Array> {
  condition.catch(() => {}) // observed below; a stream that throws first must not leave an unhandled rejection
  yield* stream
  await condition
}

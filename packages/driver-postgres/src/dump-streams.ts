import { BackupError, type ByteStream } from '@holdfast/core'

/**
 * The same bytes, the last chunk only after the source has ended well: whoever needs every byte cannot finish on
 * those of a source that turns out damaged.
 */
export async function* holdBack(source: ByteStream): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined
  for await (const chunk of source) {
    if (chunk.byteLength === 0) continue
    if (held) yield held
    held = Uint8Array.from(chunk) // the source may reuse its memory once it is asked for more
  }
  if (held) yield held
}

/** Reads to the end, for what the end says. */
export async function readThrough(source: ByteStream): Promise<void> {
  for await (const _ of source);
}

const withinLast = 512

/**
 * The same bytes; throws instead of ending when the last of them do not hold `trailer`. A plain dump that was cut at
 * the end of a statement is not seen to be cut in any other way.
 *
 * @throws {BackupError} `corrupt`.
 */
export async function* requireTrailer(source: ByteStream, trailer: string): AsyncGenerator<Uint8Array> {
  let tail: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    tail = Buffer.from(Buffer.concat([tail, chunk.subarray(-withinLast)]).subarray(-withinLast))
    yield chunk
  }
  if (tail.includes(trailer)) return
  throw new BackupError('corrupt', {
    message: `The dump is not whole: its last lines lack ${JSON.stringify(trailer)}`,
    hint: 'Use another backup; this one ended too early when it was made.',
  })
}

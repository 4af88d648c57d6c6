import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'

const withinLast = 512

/**
 * The same bytes; throws instead of ending when the last 512 of them do not hold `trailer`. A plain dump that was cut
 * at the end of a statement is not seen to be cut in any other way.
 *
 * @throws {BackupError} `corrupt`.
 */
export async function* requireTrailer(source: ByteStream, trailer: string): AsyncGenerator<Uint8Array> {
  let tail: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    // A copy: the source may reuse the chunk's memory once it is asked for more.
    tail = Buffer.from(Buffer.concat([tail, chunk.subarray(-withinLast)]).subarray(-withinLast))
    yield chunk
  }
  if (tail.includes(trailer)) return
  throw new BackupError('corrupt', {
    message: `The dump is not whole: its last lines lack ${JSON.stringify(trailer)}`,
    hint: 'Use another backup; this one ended too early when it was made.',
  })
}

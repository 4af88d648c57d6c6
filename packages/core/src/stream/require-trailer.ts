import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import { meter } from './meter.js'

/**
 * The same bytes; throws instead of ending when the last 512 of them do not hold `trailer`. A plain dump that was cut
 * at the end of a statement is not seen to be cut in any other way.
 *
 * @throws {BackupError} `corrupt`.
 */
export async function* requireTrailer(source: ByteStream, trailer: string): AsyncGenerator<Uint8Array> {
  const dump = meter(source, { sha256: false })
  yield* dump.stream
  if (dump.tail().includes(trailer)) return
  throw new BackupError('corrupt', {
    message: `The dump is not whole: its last lines lack ${JSON.stringify(trailer)}`,
    hint: 'Use another backup; this one ended too early when it was made.',
  })
}

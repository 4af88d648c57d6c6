import { BackupError } from '../backup-error.js'
import { type ByteStream, endAfter } from '../byte-stream.js'
import type { Codec } from '../codec/codec.js'
import type { DumpPart } from '../driver/driver.js'
import type { RunContext } from '../run-context.js'
import { type Meter, meter } from '../stream/meter.js'

/** The compressed bytes of a part, and the meter of its plain bytes where those pass through this process. */
export interface EncodedPart {
  readonly stream: ByteStream
  readonly plain?: Meter & { readonly soFar: () => number }
}

/**
 * Takes a part and compresses it. Where the dump is a program and the compressor is one too, they are joined by
 * descriptor and no plain byte enters JavaScript; the end then waits for the dump's own word that it was whole.
 */
export function encodePart(part: DumpPart, codec: Codec, ctx: RunContext): EncodedPart {
  const taken = part.take()
  if (taken.kind === 'process' && codec.compressProcess) {
    return { stream: endAfter(codec.compressProcess(taken.output, ctx), taken.output.done) }
  }
  const body = taken.kind === 'process' ? taken.output.read() : taken.body
  let bytes = 0
  const plain = meter(body, { sha256: true, onBytes: (total) => (bytes = total) })
  return { stream: codec.compress(requireTrailer(plain, part), ctx), plain: { ...plain, soFar: () => bytes } }
}

/** Ends only if the plain bytes end as a whole dump does. */
async function* requireTrailer(plain: Meter, part: DumpPart): AsyncGenerator<Uint8Array> {
  yield* plain.stream
  if (part.trailer === undefined || plain.tail().includes(part.trailer)) return
  throw new BackupError('dump-incomplete', {
    message: `The dump program ended without an error, but part ${part.name} lacks its end (${JSON.stringify(part.trailer)})`,
    hint: 'The dump is not whole and was discarded. Look at the log of the database server and at the disk and memory of this host, then run the backup again.',
    retryable: true,
  })
}

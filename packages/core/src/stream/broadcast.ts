import type { ByteStream } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { type BoundedReader, createBoundedReader } from './bounded-reader.js'
import { createInterruptible, type Interruptible } from './interruptible.js'
import { lendToEach } from './lent-block.js'
import { createPace, type Pace, type StallOptions } from './pace.js'

/** How far the readers of a broadcast may be apart. */
export interface BroadcastOptions extends StallOptions {
  /**
   * Bytes that may wait for a reader before the source has to wait for it. At most these and one more chunk are held
   * in all; readers share the chunks.
   */
  readonly bufferBytes: number
}

/**
 * One source to several readers, each of which sees all of it.
 *
 * The source is pulled from the first read on, whenever every reader has room: the slowest sets the pace, and memory
 * is bounded. A reader that returns early leaves the others alone. One that stalls is dropped, even the last (the
 * source may hold a snapshot of a live database), and its stream throws `stalled`; that goes for what is left after the
 * end of the source too. When no reader is left the source is returned. An error of the source, and an abort, reach
 * every reader at once.
 */
export function broadcast(
  source: ByteStream,
  readers: number,
  options: BroadcastOptions,
  { clock, signal }: RunContext,
): readonly ByteStream[] {
  const pulling = createInterruptible()
  let started = false

  const onChange = (): void => {
    if (!started) {
      started = true
      void pump(source, { all, pace, pulling, bufferBytes: options.bufferBytes }, signal)
    }
    pace.changed()
    if (pace.live().length === 0) pulling.interrupt(nobodyLeft)
  }
  const all = Array.from({ length: readers }, () => createBoundedReader(clock, onChange))
  const pace = createPace(all, options, clock)
  return all.map((reader) => reader.stream)
}

interface Pumping {
  readonly all: readonly BoundedReader[]
  readonly pace: Pace
  /** Ends a pull for which nobody waits any more. */
  readonly pulling: Interruptible
  readonly bufferBytes: number
}

/** Hands the source to all readers, chunk by chunk, until they have taken all of it. */
async function pump(
  source: ByteStream,
  { all, pace, pulling, bufferBytes }: Pumping,
  signal: AbortSignal,
): Promise<void> {
  const chunks = source[Symbol.asyncIterator]()
  const fail = (error: unknown): void => {
    for (const reader of all) reader.fail(error)
  }
  const onAbort = (): void => fail(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    signal.throwIfAborted()
    for (;;) {
      await pace.whileHeldUp((reader) => reader.waitingBytes >= bufferBytes)
      if (pace.live().length === 0) throw nobodyLeft
      const next = await pulling.until(chunks.next())
      if (next.done) break
      if (next.value.byteLength > 0) offer(next.value, all)
    }
    for (const reader of all) reader.finish()
    await pace.whileHeldUp((reader) => reader.waitingBytes > 0)
  } catch (error) {
    fail(error)
    // Not awaited: a source that hangs must not hold up readers that have left.
    chunks.return?.().catch(() => {})
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Each gets a chunk of its own to give back, over the same bytes. */
function offer(chunk: Uint8Array, all: readonly BoundedReader[]): void {
  const takers = all.filter(({ takesPart }) => takesPart)
  const chunks = lendToEach(chunk, takers.length)
  for (const [index, reader] of takers.entries()) reader.offer(chunks[index] ?? chunk)
}

const nobodyLeft = new Error('No reader is left')

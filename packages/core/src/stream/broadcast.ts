import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { type BoundedReader, createBoundedReader } from './bounded-reader.js'
import { createInterruptible } from './interruptible.js'

/** How far the readers of a broadcast may be apart. */
export interface BroadcastOptions {
  /**
   * Bytes that may wait for a reader before the source has to wait for it. At most these and one more chunk are held
   * in all; readers share the chunks.
   */
  readonly bufferBytes: number
  /** Milliseconds for which a reader may take nothing while the source waits for it. Then it is dropped. */
  readonly stallTimeoutMs: number
  /**
   * Told when a reader was dropped. A reader that hangs in a call of its own does not ask for its next chunk, so the
   * stream cannot tell it: whoever owns the reader should abort it.
   *
   * @param reader - Its index.
   */
  onStalled?(reader: number, error: BackupError): void
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
  let changed = (): void => {}

  const onChange = (): void => {
    if (!started) {
      started = true
      void pump()
    }
    changed()
    if (live().length === 0) pulling.interrupt(nobodyLeft)
  }
  const all = Array.from({ length: readers }, () => createBoundedReader(clock, onChange))
  const live = (): readonly BoundedReader[] => all.filter((reader) => reader.takesPart)
  const fail = (error: unknown): void => {
    for (const reader of all) reader.fail(error)
  }

  async function pump(): Promise<void> {
    const chunks = source[Symbol.asyncIterator]()
    const onAbort = (): void => fail(signal.reason)
    signal.addEventListener('abort', onAbort)
    try {
      signal.throwIfAborted()
      for (;;) {
        await whileHeldUp((reader) => reader.waitingBytes >= options.bufferBytes)
        if (live().length === 0) throw nobodyLeft
        const next = await pulling.until(chunks.next())
        if (next.done) break
        if (next.value.byteLength > 0) for (const reader of all) reader.offer(next.value)
      }
      for (const reader of all) reader.finish()
      await whileHeldUp((reader) => reader.waitingBytes > 0)
    } catch (error) {
      fail(error)
      // Not awaited: a source that hangs must not hold up readers that have left.
      chunks.return?.().catch(() => {})
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async function whileHeldUp(isSlow: (reader: BoundedReader) => boolean): Promise<void> {
    for (;;) {
      const slow = live().filter(isSlow)
      if (slow.length === 0) return
      const deadline = Math.min(...slow.map((reader) => reader.idleSince)) + options.stallTimeoutMs
      if (deadline <= clock.monotonic()) dropStalled(slow)
      else await changeBefore(deadline)
    }
  }

  async function changeBefore(deadline: number): Promise<void> {
    const waiting = new AbortController()
    await new Promise<void>((resolve) => {
      changed = resolve
      clock.sleep(deadline - clock.monotonic(), waiting.signal).then(resolve, () => {})
    })
    waiting.abort()
  }

  function dropStalled(slow: readonly BoundedReader[]): void {
    for (const reader of slow) {
      if (clock.monotonic() - reader.idleSince < options.stallTimeoutMs) continue
      const error = new BackupError('stalled', {
        message: `The copy accepted no byte for ${options.stallTimeoutMs / 1_000} s`,
        hint: 'See whether the storage answers, or allow more time.',
        retryable: true,
      })
      reader.fail(error)
      options.onStalled?.(all.indexOf(reader), error)
    }
  }

  return all.map((reader) => reader.stream)
}

const nobodyLeft = new Error('No reader is left')

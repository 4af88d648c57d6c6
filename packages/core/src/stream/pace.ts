import { BackupError } from '../backup-error.js'
import type { Clock } from '../run-context.js'
import type { BoundedReader } from './bounded-reader.js'

/** When a reader is given up. */
export interface StallOptions {
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

/** Keeps a source at the pace of its slowest reader. */
export interface Pace {
  /** The readers that still take part. */
  live(): readonly BoundedReader[]
  /** To be called when a reader asks, takes or leaves. */
  changed(): void
  /** Waits as long as a reader is slow. One that takes nothing for too long meanwhile is dropped. */
  whileHeldUp(isSlow: (reader: BoundedReader) => boolean): Promise<void>
}

export function createPace(
  all: readonly BoundedReader[],
  { stallTimeoutMs, onStalled }: StallOptions,
  clock: Clock,
): Pace {
  let changed = (): void => {}
  const live = (): readonly BoundedReader[] => all.filter((reader) => reader.takesPart)

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
      if (clock.monotonic() - reader.idleSince < stallTimeoutMs) continue
      const error = stalledFor(stallTimeoutMs)
      reader.fail(error)
      onStalled?.(all.indexOf(reader), error)
    }
  }

  return {
    live,
    changed: () => changed(),
    async whileHeldUp(isSlow) {
      for (;;) {
        const slow = live().filter(isSlow)
        if (slow.length === 0) return
        const deadline = Math.min(...slow.map((reader) => reader.idleSince)) + stallTimeoutMs
        if (deadline <= clock.monotonic()) dropStalled(slow)
        else await changeBefore(deadline)
      }
    },
  }
}

function stalledFor(ms: number): BackupError {
  return new BackupError('stalled', {
    message: `The copy accepted no byte for ${ms / 1_000} s`,
    hint: 'See whether the storage answers, or allow more time.',
    retryable: true,
  })
}

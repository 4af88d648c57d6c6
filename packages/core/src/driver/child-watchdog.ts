import { readFileSync } from 'node:fs'
import { BackupError } from '../backup-error.js'
import type { Clock } from '../run-context.js'

/** How long a child may take. */
export interface ChildLimits {
  /** Milliseconds without any sign of life. */
  readonly idleTimeoutMs?: number | undefined
  /** Milliseconds in all. */
  readonly totalTimeoutMs?: number | undefined
}

/** What the watchdog can learn about the child it watches. */
export interface WatchedChild {
  readonly name: string
  readonly pid: number
  /** Whether bytes of the child wait for us: then it is not the child that is slow. */
  waitsForUs(): boolean
  /** Fires when the child has ended. */
  readonly ended: AbortSignal
}

/**
 * Calls `onTimeout` when a child goes over its limits.
 *
 * Signs of life are calls of the returned function and, on Linux, bytes that the child has read or written by itself:
 * the output of a dump that goes to the compressor by descriptor is seen by nobody here.
 *
 * @returns To be called whenever bytes of the child were seen.
 */
export function watchChild(
  child: WatchedChild,
  limits: ChildLimits,
  clock: Clock,
  onTimeout: (error: BackupError) => void,
): () => void {
  const start = clock.monotonic()
  let lastSign = start
  let lastCounters = ''

  const isIdle = (): boolean => {
    const counters = bytesMoved(child.pid)
    const moved = counters !== lastCounters
    lastCounters = counters
    return !moved && !child.waitsForUs()
  }

  async function watchIdle(idleMs: number): Promise<void> {
    for (;;) {
      await clock.sleep(Math.max(1, lastSign + idleMs - clock.monotonic()), child.ended)
      if (clock.monotonic() - lastSign < idleMs) continue
      if (isIdle()) return onTimeout(timedOut(`${child.name} moved no byte for ${seconds(idleMs)}`))
      lastSign = clock.monotonic()
    }
  }

  async function watchTotal(totalMs: number): Promise<void> {
    await clock.sleep(totalMs, child.ended)
    onTimeout(timedOut(`${child.name} took longer than the ${seconds(totalMs)} it was given`))
  }

  const untilEnd = (watch: Promise<void>): void => void watch.catch(() => {}) // rejects only because the child has ended
  if (limits.idleTimeoutMs !== undefined) {
    lastCounters = bytesMoved(child.pid)
    untilEnd(watchIdle(limits.idleTimeoutMs))
  }
  if (limits.totalTimeoutMs !== undefined) untilEnd(watchTotal(limits.totalTimeoutMs))
  return () => {
    lastSign = clock.monotonic()
  }
}

function timedOut(message: string): BackupError {
  return new BackupError('timed-out', {
    message,
    hint: 'See what the database server is waiting for (locks, a slow disk, the network), or allow more time.',
    retryable: true,
  })
}

const seconds = (ms: number): string => `${ms / 1000} s`

/** Counters of bytes read and written by a process; constant where the system does not tell. */
function bytesMoved(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/io`, 'utf8').split('\n').slice(0, 2).join(' ')
  } catch {
    return ''
  }
}

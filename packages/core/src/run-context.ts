/** Time, as a value: tests give a clock that they move by hand. */
export interface Clock {
  /** The wall clock, for names and records. It may jump. */
  now(): Date
  /** Milliseconds from an arbitrary start, for durations. It never goes back. */
  monotonic(): number
  /** Resolves after `ms` milliseconds; rejects with `signal.reason` when aborted first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** Further data of a log line. Secrets must not be in it; {@link Secret} values are safe. */
export type LogFields = Readonly<Record<string, unknown>>

/** Where log lines go. pino, winston and `console` fit after a line of adapting. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** The stages of a run, in the order in which they come. */
export type Stage =
  | 'preflight'
  | 'dump'
  | 'commit'
  | 'back-fill'
  | 'clean-up'
  | 'read-through'
  | 'restore'
  | 'assertions'
  | 'swap'
  | 'verify'

/**
 * Progress is data: a bar, a stream of server-sent events and a log line are readers of the same events.
 * Byte counts are totals since the start of the stage, not increments.
 */
export type ProgressEvent =
  | { readonly type: 'stage'; readonly stage: Stage; readonly detail?: string }
  | {
      readonly type: 'bytes'
      readonly stage: Stage
      /** Part of the backup, for example `dump`. */
      readonly part: string
      /** Bytes on storage so far (compressed and encrypted). */
      readonly storedBytes: number
      /** Bytes of the dump so far, where they pass through this process. */
      readonly plainBytes?: number
      /** Estimated or known total of `storedBytes`, for a bar. */
      readonly totalStoredBytes?: number
      /** Estimated or known total of `plainBytes`, for a bar. */
      readonly totalPlainBytes?: number
    }
  | { readonly type: 'object'; readonly stage: Stage; readonly name: string }
  | { readonly type: 'warning'; readonly stage: Stage; readonly message: string }
  | {
      readonly type: 'copy'
      readonly storage: string
      readonly status: 'complete' | 'failed'
      readonly message?: string
    }

/**
 * What every call that waits receives.
 *
 * Whoever waits takes `signal`; on abort it rethrows `signal.reason` untouched and leaves nothing half-published.
 */
export interface RunContext {
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly log: Logger
  report(event: ProgressEvent): void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    // A timer of more than 2^31 - 1 ms (24.8 days) would fire at once.
    for (let left = ms; left > 0; left -= longestTimerMs) await timer(Math.min(left, longestTimerMs), signal)
    signal.throwIfAborted()
  },
}

const longestTimerMs = 2 ** 31 - 1

function timer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const stop = (): void => {
      clearTimeout(pending)
      reject(signal.reason)
    }
    const pending = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** Swallows every line. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A listener that throws must not end a backup: it is told so once, and is heard no more. */
function guarded(report: RunContext['report'], log: Logger = silentLogger): RunContext['report'] {
  let deaf = false
  return (event) => {
    if (deaf) return
    try {
      report(event)
    } catch (error) {
      deaf = true
      log.error(`A listener for progress threw, and gets no further events: ${String(error)}`)
    }
  }
}

/** A context from what the caller has; the rest is the system clock, silence, and a signal that never fires. */
export function createRunContext(given: Partial<RunContext> = {}): RunContext {
  return {
    signal: given.signal ?? new AbortController().signal,
    clock: given.clock ?? systemClock,
    log: given.log ?? silentLogger,
    report: given.report ? guarded(given.report, given.log) : () => {},
  }
}

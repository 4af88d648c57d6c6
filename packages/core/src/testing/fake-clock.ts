import type { Clock } from '../run-context.js'

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves the time forward, waking sleepers in the order in which they are due, each at its own time. Sleepers that
   * come up meanwhile are woken too, if they are due before the end.
   */
  advance(ms: number): Promise<void>
  /** Makes the wall clock jump, as an administrator or a time server may; sleepers and `monotonic` do not notice. */
  jump(ms: number): void
  /** How many sleep now. */
  readonly sleepers: number
}

interface Sleeper {
  readonly due: number
  wake(): void
}

/** @param start - What the wall clock shows first. Default 2026-01-01T00:00:00Z. */
export function createFakeClock(start: Date = new Date('2026-01-01T00:00:00Z')): FakeClock {
  const asleep = new Set<Sleeper>()
  let passed = 0
  let offset = start.getTime()

  function sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const leave = (): void => {
        asleep.delete(sleeper)
        signal.removeEventListener('abort', onAbort)
      }
      const onAbort = (): void => {
        leave()
        reject(signal.reason)
      }
      const sleeper: Sleeper = {
        due: passed + Math.max(0, ms),
        wake: () => {
          leave()
          resolve()
        },
      }
      asleep.add(sleeper)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  async function advance(ms: number): Promise<void> {
    const end = passed + ms
    await quiet()
    for (let next = firstDue(asleep, end); next !== undefined; next = firstDue(asleep, end)) {
      passed = Math.max(passed, next.due)
      next.wake()
      await quiet()
    }
    passed = end
  }

  return {
    now: () => new Date(offset + passed),
    monotonic: () => passed,
    sleep,
    advance,
    jump(ms) {
      offset += ms
    },
    get sleepers() {
      return asleep.size
    },
  }
}

function firstDue(asleep: ReadonlySet<Sleeper>, end: number): Sleeper | undefined {
  const due = [...asleep].filter((sleeper) => sleeper.due <= end)
  return due.reduce<Sleeper | undefined>((first, other) => (first && first.due <= other.due ? first : other), undefined)
}

/** Lets everything run that waits for nothing but its turn. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

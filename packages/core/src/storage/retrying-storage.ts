import { isBackupError, messageOf } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { named } from './named-storage.js'
import type { Storage } from './storage.js'

/** How often, and how long, to try again. */
export interface RetryOptions {
  /** Most further attempts after the first. Default 5. */
  readonly retries?: number
  /** Milliseconds before the first further attempt, at most; doubled for each one after it. Default 200. */
  readonly baseMs?: number
  /** Most milliseconds between two attempts. Default 10,000. */
  readonly capMs?: number
  /** Milliseconds after which no further attempt begins. Default 60,000. */
  readonly budgetMs?: number
  /** A number from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number
}

type Again = (error: unknown, ctx: RunContext) => Promise<void>

/**
 * A storage that tries again when it meets an error that says it is `retryable`: in `stat` and `delete`, in `list` as
 * long as it has yielded nothing, in `get` until the first byte. Never in `put`: a live dump cannot rewind, and a
 * storage retries its own pieces.
 *
 * The wait before attempt n is random, from 0 to `min(capMs, baseMs · 2ⁿ)`: full jitter keeps clients that failed
 * together from coming back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function retrying(storage: Storage, options: RetryOptions = {}): Storage {
  const attempts = (what: string, ctx: RunContext): Again => backoff(`${what} on ${storage.name}`, options, ctx)

  return {
    ...named(storage, storage.name),
    stat: (key, ctx) => repeat(() => storage.stat(key, ctx), attempts(`Looking at ${key}`, ctx), ctx),
    delete: (key, ctx) => repeat(() => storage.delete(key, ctx), attempts(`Deleting ${key}`, ctx), ctx),
    list: (prefix, ctx) => reopen(() => storage.list(prefix, ctx), attempts(`Listing ${prefix}`, ctx), ctx),
    get: (key, range, ctx): ByteStream =>
      reopen(() => storage.get(key, range, ctx), attempts(`Opening ${key}`, ctx), ctx),
  }
}

async function repeat<Result>(work: () => Promise<Result>, again: Again, ctx: RunContext): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      await again(error, ctx)
    }
  }
}

/** Yields what `open` yields, opened anew on failure as long as nothing has been yielded. */
async function* reopen<Item>(open: () => AsyncIterable<Item>, again: Again, ctx: RunContext): AsyncGenerator<Item> {
  for (let begun = false; ; ) {
    try {
      for await (const item of open()) {
        begun = true
        yield item
      }
      return
    } catch (error) {
      if (begun) throw error
      await again(error, ctx)
    }
  }
}

/** Waits before the next attempt, or throws the error where there is to be none. */
function backoff(what: string, options: RetryOptions, { clock }: RunContext): Again {
  const { retries = 5, baseMs = 200, capMs = 10_000, budgetMs = 60_000, random = Math.random } = options
  const start = clock.monotonic()
  let failures = 0

  return async (error, { signal, log }) => {
    if (signal.aborted || !isBackupError(error) || !error.retryable || failures >= retries) throw error
    const wait = random() * Math.min(capMs, baseMs * 2 ** failures)
    if (clock.monotonic() - start + wait > budgetMs) throw error
    failures++
    log.warn(`${what} failed, trying again in ${Math.round(wait)} ms: ${messageOf(error)}`)
    await clock.sleep(wait, signal)
  }
}

import type { ByteStream } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { type RateLimit, rateLimit, throttle } from '../stream/throttle.js'
import { named } from './named-storage.js'
import type { Storage } from './storage.js'
import { withBody } from './with-body.js'

/** Most bytes per second of a storage, over all of its puts or gets together. */
export interface StorageRates {
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
}

/**
 * A storage whose puts and gets keep to a bandwidth. What runs at the same time shares it.
 *
 * @throws {RangeError} unless a rate is above 0.
 */
export function rateLimited(storage: Storage, rates: StorageRates): Storage {
  const slowUp = slowedTo(rates.uploadBytesPerSecond)
  const slowDown = slowedTo(rates.downloadBytesPerSecond)
  return {
    ...named(storage, storage.name),
    // withBody: a refused put returns the body's own iterator, which a generator that never ran would not.
    put: (key, body, options, ctx) =>
      withBody(body, ctx.signal, (chunks) => storage.put(key, slowUp(chunks, ctx), options, ctx)),
    get: (key, range, ctx) => slowDown(storage.get(key, range, ctx), ctx),
  }
}

type Slowing = (stream: ByteStream, ctx: RunContext) => ByteStream

function slowedTo(bytesPerSecond: number | undefined): Slowing {
  if (bytesPerSecond === undefined) return (stream) => stream
  if (!(bytesPerSecond > 0)) throw new RangeError(`A bandwidth must be above 0 bytes per second, not ${bytesPerSecond}`)
  let shared: RateLimit | undefined
  return (stream, ctx) => {
    shared ??= rateLimit(bytesPerSecond, ctx.clock)
    return throttle(stream, shared, ctx)
  }
}

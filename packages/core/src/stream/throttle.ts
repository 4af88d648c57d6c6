import type { ByteStream } from '../byte-stream.js'
import type { Clock, RunContext } from '../run-context.js'

/** A bandwidth that several streams may share. */
export interface RateLimit {
  readonly bytesPerSecond: number
  /** Resolves when `bytes` may pass. Rejects with `signal.reason`. */
  take(bytes: number, signal: AbortSignal): Promise<void>
}

/**
 * A bandwidth that all who hold this value share. Time in which nobody took anything is not saved up.
 *
 * @throws {RangeError} unless `bytesPerSecond` is above 0.
 */
export function rateLimit(bytesPerSecond: number, clock: Clock): RateLimit {
  if (!(bytesPerSecond > 0)) throw new RangeError(`A bandwidth must be above 0 bytes per second, not ${bytesPerSecond}`)
  let freeAt = 0
  return {
    bytesPerSecond,
    async take(bytes, signal) {
      const now = clock.monotonic()
      freeAt = Math.max(freeAt, now) + (bytes / bytesPerSecond) * 1_000
      await clock.sleep(freeAt - now, signal)
    },
  }
}

/**
 * Slows a stream down to a bandwidth: its own, or one shared through {@link rateLimit}.
 * Large chunks are cut to a tenth of a second's worth, so that the flow is even.
 */
export async function* throttle(
  source: ByteStream,
  limit: RateLimit | { readonly bytesPerSecond: number },
  ctx: RunContext,
): AsyncGenerator<Uint8Array> {
  const rate = 'take' in limit ? limit : rateLimit(limit.bytesPerSecond, ctx.clock)
  const step = Math.max(1, Math.ceil(rate.bytesPerSecond / 10))
  for await (const chunk of source) {
    for (let at = 0; at < chunk.byteLength; at += step) {
      const piece = chunk.subarray(at, at + step)
      await rate.take(piece.byteLength, ctx.signal)
      yield piece
    }
  }
}

import type { ByteStream } from '../byte-stream.js'

/**
 * Lends `body` to `use` in the way the contract of {@link Storage.put} wants it: an abort throws `signal.reason` even
 * while the body hangs, and a body that was not read to its end has its iterator returned, whatever happened.
 *
 * @example The put of a storage
 * ```ts
 * import { checkKey, type Storage, withBody } from '@holdfast/core'
 *
 * const put: Storage['put'] = (key, body, options, ctx) =>
 *   withBody(body, ctx.signal, async (chunks) => {
 *     checkKey(key)
 *     let size = 0
 *     for await (const chunk of chunks) size += chunk.byteLength
 *     return { key, size, modifiedAt: ctx.clock.now() }
 *   })
 * ```
 */
export async function withBody<Result>(
  body: ByteStream,
  signal: AbortSignal,
  use: (chunks: ByteStream) => Promise<Result>,
): Promise<Result> {
  const iterator = body[Symbol.asyncIterator]()
  let over = false
  try {
    signal.throwIfAborted()
    return await use({ [Symbol.asyncIterator]: () => ({ next }) })
  } finally {
    // Not awaited: the return of a generator waits for the read that hangs.
    if (!over) iterator.return?.().catch(() => {})
  }

  async function next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const step = await orAbort(() => iterator.next(), signal)
      if (step.done) over = true
      return step
    } catch (error) {
      over = !signal.aborted
      throw error
    }
  }
}

/** What `work` resolves to, unless the signal aborts first. */
async function orAbort<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const result = await Promise.race([work(), aborted.promise])
    signal.throwIfAborted()
    return result
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

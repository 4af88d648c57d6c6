import type { ByteStream } from '../byte-stream.js'
import { createInterruptible } from '../stream/interruptible.js'

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
  const { interrupt, until } = createInterruptible()
  const onAbort = (): void => interrupt(signal.reason)
  let over = false

  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    signal.throwIfAborted()
    const step = await until(iterator.next())
    signal.throwIfAborted()
    if (step.done) over = true
    return step
  }

  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    return await use({ [Symbol.asyncIterator]: () => ({ next }) })
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: the return of a generator waits for the read that hangs.
    if (!over) iterator.return?.().catch(() => {})
  }
}

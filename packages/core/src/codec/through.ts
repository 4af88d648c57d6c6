import { finished, type Transform } from 'node:stream'
import type { ByteStream } from '../byte-stream.js'
import { createInterruptible } from '../stream/interruptible.js'
import { giveBack } from '../stream/lent-block.js'

/** A zlib stream: it counts the bytes that it has used. */
export type ZlibStream = Transform & { readonly bytesWritten: number }

/**
 * Passes a stream through zlib, two blocks in flight: one is worked on in the thread pool while the next is made ready
 * here. The source's error passes untouched. Its chunks must be nobody else's any more: lent ones are given back.
 *
 * @param damaged - Makes the error when zlib fails (`cause` is its own), or comes to its end before the source does.
 */
export async function* through(
  source: ByteStream,
  transform: ZlibStream,
  damaged: (reason: string, cause?: unknown) => Error,
): AsyncGenerator<Uint8Array> {
  const { interrupt, until } = createInterruptible()
  const chunks = source[Symbol.asyncIterator]()
  let given = 0
  let sourceEnded = false
  let failure: { readonly error: unknown } | undefined

  async function feed(): Promise<void> {
    let before: Promise<void> = Promise.resolve()
    for (let next = await until(chunks.next()); !next.done; next = await until(chunks.next())) {
      const chunk = next.value
      given += chunk.byteLength
      const used = new Promise<void>((resolve) => {
        transform.write(chunk, (error) => {
          if (!error) giveBack(chunk)
          resolve()
        })
      })
      await until(before)
      before = used
    }
    sourceEnded = true
    transform.end()
  }

  finished(transform, { readable: false }, () => interrupt(closed))
  feed().catch((error) => {
    if (error !== closed) failure = { error }
    transform.destroy()
  })
  try {
    yield* transform
  } catch (error) {
    throw failure === undefined ? damaged('they cannot be processed', error) : failure.error
  } finally {
    interrupt(closed)
    transform.destroy()
    chunks.return?.().catch(() => {}) // not awaited: a source that hangs must not hold up its reader
  }
  if (!sourceEnded || transform.bytesWritten !== given) throw damaged('something follows their end')
}

const closed = new Error('The transform takes no more')

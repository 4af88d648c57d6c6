import { BackupError } from '../backup-error.js'
import { type ByteStream, MiB } from '../byte-stream.js'
import type { Clock } from '../run-context.js'
import { createBoundedReader } from './bounded-reader.js'

/** Bytes that may wait for the observer before the reader has to wait as well. */
const room = 4 * MiB

/** A stream, and what somebody made of the same bytes. */
export interface Observed<Result> {
  readonly stream: ByteStream
  /** Rejects where the stream was not read to its end. */
  readonly result: Promise<Result>
}

/**
 * Shows the bytes that one reader reads to a second one. The reader leads: what it does not read, the observer does
 * not see, and an observer that ends early does not disturb it. Nothing is looked at before the reader reads.
 */
export function observed<Result>(
  source: ByteStream,
  look: (body: ByteStream) => Promise<Result>,
  clock: Clock,
): Observed<Result> {
  const { promise: result, resolve, reject } = Promise.withResolvers<Result>()
  result.catch(() => {}) // whoever asks for it sees it
  let changed = (): void => {}
  const observer = createBoundedReader(clock, () => changed())

  async function* pass(): AsyncGenerator<Uint8Array> {
    let problem: unknown = new BackupError('aborted', { message: 'The stream was not read to its end' })
    let looking = true
    const lookedEnough = (): void => {
      looking = false
      changed()
    }
    look(observer.stream).then(resolve, reject).then(lookedEnough, lookedEnough)
    try {
      for await (const chunk of source) {
        if (looking) observer.offer(chunk)
        while (looking && observer.takesPart && observer.waitingBytes > room) {
          await new Promise<void>((wake) => {
            changed = wake
          })
        }
        yield chunk
      }
      problem = undefined
      observer.finish()
    } catch (error) {
      problem = error
      throw error
    } finally {
      if (problem !== undefined) observer.fail(problem)
    }
  }

  return { stream: pass(), result }
}

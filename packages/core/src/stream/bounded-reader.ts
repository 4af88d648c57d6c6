import type { ByteStream } from '../byte-stream.js'
import type { Clock } from '../run-context.js'

/** One consumer of a broadcast, with what waits for it. */
export interface BoundedReader {
  /** What the consumer reads. It can be read once. */
  readonly stream: ByteStream
  /** Bytes that it has not taken yet. */
  readonly waitingBytes: number
  /** Monotonic time since when bytes wait and none was taken. */
  readonly idleSince: number
  /** Whether it still wants chunks: it has not left, failed, or come to the end. */
  readonly takesPart: boolean
  offer(chunk: Uint8Array): void
  /** No chunk follows; what waits may still be taken. */
  finish(): void
  /** The stream throws `error` at once; what waits is let go. */
  fail(error: unknown): void
}

/** @param onChange - Called when the consumer asks, takes or leaves. */
export function createBoundedReader(clock: Clock, onChange: () => void): BoundedReader {
  const waiting: Uint8Array[] = []
  let waitingBytes = 0
  let idleSince = 0
  let finished = false
  let end: { readonly error?: unknown } | undefined
  let wake = (): void => {}

  const close = (how: { readonly error?: unknown }): void => {
    if (end !== undefined) return
    end = how
    waiting.length = 0
    waitingBytes = 0
    wake()
    onChange()
  }

  async function next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const chunk = waiting.shift()
      if (chunk !== undefined) {
        waitingBytes -= chunk.byteLength
        idleSince = clock.monotonic()
        onChange()
        return { done: false, value: chunk }
      }
      if (finished) close({})
      if (end !== undefined) {
        if ('error' in end) throw end.error
        return { done: true, value: undefined }
      }
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      onChange()
      await woken
    }
  }

  const iterator: AsyncIterator<Uint8Array> = {
    next,
    async return() {
      close({})
      return { done: true, value: undefined }
    },
  }
  return {
    stream: { [Symbol.asyncIterator]: () => iterator },
    get waitingBytes() {
      return waitingBytes
    },
    get idleSince() {
      return idleSince
    },
    get takesPart() {
      return end === undefined && !(finished && waitingBytes === 0)
    },
    offer(chunk) {
      if (end !== undefined) return
      if (waitingBytes === 0) idleSince = clock.monotonic()
      waiting.push(chunk)
      waitingBytes += chunk.byteLength
      wake()
    },
    finish() {
      finished = true
      wake()
    },
    fail: (error) => close({ error }),
  }
}

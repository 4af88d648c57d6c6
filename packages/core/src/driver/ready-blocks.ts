import { finished, type Readable } from 'node:stream'

/** Blocks that a stream has filled, until somebody takes them. */
export interface ReadyBlocks {
  /** How many wait. */
  readonly waiting: number
  add(block: Uint8Array): void
  /**
   * Yields what was added, and in the end what is left; resumes the stream for each, so that the next block gathers
   * while this one is worked on. Throws what the stream fails with.
   */
  drain(from: Readable): AsyncGenerator<Uint8Array>
}

/** @param rest - What the stream has left when it ends: a block that was not filled. */
export function readyBlocks(rest: () => Uint8Array | undefined): ReadyBlocks {
  const ready: Uint8Array[] = []
  let wake = (): void => {}
  return {
    get waiting() {
      return ready.length
    },
    add(block) {
      ready.push(block)
      wake()
    },
    async *drain(from) {
      let end: { readonly error?: Error | null | undefined } | undefined
      finished(from, { writable: false }, (error) => {
        end = { error }
        wake()
      })
      from.resume()
      while (end === undefined || ready.length > 0) {
        const next = ready.shift()
        if (next !== undefined) {
          from.resume()
          yield next
          continue
        }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (end.error) throw end.error
      const last = rest()
      if (last !== undefined) yield last
    },
  }
}

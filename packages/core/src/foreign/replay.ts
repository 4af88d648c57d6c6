import { BackupError } from '../backup-error.js'
import { type ByteStream, MiB } from '../byte-stream.js'

/** Bytes of a stream that are kept for whoever reads it again from the start. */
const keptAtMost = 64 * MiB

/** A stream that can be opened again from its start, as long as nobody has read far. */
export interface Replayable extends AsyncDisposable {
  /** @throws {BackupError} `restore-refused` when its start is not kept any more. */
  open(): ByteStream
}

/**
 * Lets a stream that comes once be opened several times: drivers look at the head of a dump before they restore it.
 * One reader at a time; one that was let go of takes nothing from the next.
 *
 * @param limit - Bytes kept.
 */
export function replayable(stream: ByteStream, display: string, limit: number = keptAtMost): Replayable {
  const chunks = stream[Symbol.asyncIterator]()
  const kept: Uint8Array[] = []
  let first = 0 // index of the first chunk that is kept
  let bytes = 0
  let isEnded = false
  let pulling: Promise<void> | undefined

  /** One at a time: what an earlier reader asked for and did not wait for is the next one's. */
  const pull = (): Promise<void> => {
    pulling ??= chunks.next().then((next) => {
      pulling = undefined
      if (next.done) isEnded = true
      else {
        kept.push(next.value)
        bytes += next.value.byteLength
      }
    }) // a failure stays: every reader gets it, and none takes it for the end
    return pulling
  }

  async function* read(): AsyncGenerator<Uint8Array> {
    for (let at = 0; ; at++) {
      while (at >= first + kept.length) {
        if (isEnded) return
        await pull()
      }
      const chunk = kept[at - first]
      if (chunk === undefined) throw tooFar(display)
      if (bytes > limit) {
        kept.splice(0, at - first + 1)
        first = at + 1
      }
      yield chunk
    }
  }

  return {
    open() {
      if (first > 0) throw tooFar(display)
      return read()
    },
    async [Symbol.asyncDispose]() {
      await chunks.return?.()
    },
  }
}

function tooFar(display: string): BackupError {
  return new BackupError('restore-refused', {
    message: `${display} can be read once only, and this restore has to read it again`,
    hint: 'Save it to a file first, and restore that.',
  })
}

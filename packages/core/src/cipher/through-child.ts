import type { ByteStream } from '../byte-stream.js'
import type { Child } from '../driver/child.js'
import { readFromChild, writeToChild } from '../driver/child-streams.js'

/**
 * Passes a stream through a program that reads its input and writes its output. Ends only after the program has ended
 * well; the error of the source passes untouched, and the program never sees it as the end of its input.
 */
export async function* throughChild(child: Child, source: ByteStream, blockBytes: number): AsyncGenerator<Uint8Array> {
  const fed = writeToChild(child, source)
  fed.catch(() => {}) // awaited below; a reader that stops early does not want to know
  yield* readFromChild(child, { blockBytes })
  await fed
}

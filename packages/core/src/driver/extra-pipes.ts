import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Secret } from '../secret.js'
import { readLines } from './stderr-lines.js'

/** A descriptor that a child has beside its input and outputs. The first is 3, the next 4, and so on. */
export type ExtraPipe =
  /** Given to the child and closed: a passphrase is seen by nobody in a list of processes, and lies in no file. */
  | { readonly kind: 'secret'; readonly content: Secret }
  /** What the child says there, line by line: statuses for programs, which no message can imitate. */
  | { readonly kind: 'lines'; onLine(line: string): void }

/**
 * Serves the further descriptors of a child.
 *
 * @returns Settles when the child has closed all that it writes to.
 */
export function serveExtraPipes(
  running: ChildProcess,
  extra: readonly ExtraPipe[],
): { end(signal: AbortSignal): Promise<void> } {
  const written = extra.flatMap((pipe, index) => {
    const stream = running.stdio?.[3 + index] as Duplex | null | undefined // it has none where it found no descriptors
    if (!stream) return [] // it could not be started
    stream.on('error', () => {}) // the child went without reading; how it ended says why
    if (pipe.kind === 'secret') {
      stream.end(pipe.content.reveal())
      return []
    }
    readLines(stream, (line) => pipe.onLine(line))
    return [stream]
  })
  return {
    async end(signal) {
      await Promise.all(written.map((stream) => stream.readableEnded || once(stream, 'end', { signal }))).catch(
        () => {},
      )
      for (const stream of written) stream.destroy()
    },
  }
}

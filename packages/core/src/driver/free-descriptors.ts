import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'

/** What starting a child takes beside its pipes: one to hear of failure by, and what trying out a wrapper takes. */
const beside = 10

/**
 * Makes sure that there are descriptors for a child. Where there are not, Node would open some of its pipes and forget
 * them: they would stay open for as long as this process lives.
 *
 * @param pipes - Pipes to the child, standard ones included.
 * @throws The system's error, `EMFILE` or `ENFILE`.
 */
export function requireDescriptors(pipes: number): void {
  const opened: number[] = []
  try {
    while (opened.length < 2 * pipes + beside) opened.push(openSync(devNull, 'r'))
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
}

/** Whether it failed for want of descriptors: of this process, or of the system. */
export function lacksDescriptors(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE')
}

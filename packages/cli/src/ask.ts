import type { World } from './world.js'

/** Whether there is somebody to ask. */
export function canAsk(world: World): boolean {
  return world.stdin.isTTY === true && world.stderr.isTTY === true
}

/**
 * Asks on the terminal and reads one line.
 *
 * @returns Without spaces at its ends; `undefined` when the input ended instead.
 */
export async function ask(question: string, world: World, signal: AbortSignal): Promise<string | undefined> {
  world.stderr.write(`${question} `)
  const lines = world.stdin[Symbol.asyncIterator]()
  const aborted = Promise.withResolvers<never>()
  const stop = (): void => aborted.reject(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    let typed = ''
    while (!typed.includes('\n')) {
      const next = await Promise.race([lines.next(), aborted.promise])
      if (next.done) break
      typed += next.value.toString()
    }
    if (typed === '') return undefined
    return typed.split('\n')[0]?.trim() ?? ''
  } finally {
    signal.removeEventListener('abort', stop)
    if (!signal.aborted) await lines.return?.()
  }
}

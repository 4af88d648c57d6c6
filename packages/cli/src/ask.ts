import type { World } from './world.js'

// biome-ignore lint/suspicious/noControlCharactersInRegex: Ctrl-D is a key like any other in raw mode
const lineEnd = /[\r\n\u0004]/

/** Whether there is somebody to ask. */
export function canAsk(world: World): boolean {
  return world.stdin.isTTY === true && world.stderr.isTTY === true
}

/**
 * Asks on the terminal and reads one line.
 *
 * @param options.hidden - What is typed is not shown.
 * @returns Without spaces at its ends, unless hidden; `undefined` when the input ended instead.
 * @throws `signal.reason` when aborted.
 */
export async function ask(
  question: string,
  world: World,
  signal: AbortSignal,
  { hidden = false }: { readonly hidden?: boolean } = {},
): Promise<string | undefined> {
  if (!hidden) {
    world.stderr.write(`${question} `)
    return (await readLine(world, signal))?.trim()
  }
  world.stdin.setRawMode?.(true) // before the question: what is typed at once must not be shown either
  try {
    world.stderr.write(`${question} `)
    return await readLine(world, signal)
  } finally {
    world.stdin.setRawMode?.(false)
    world.stderr.write('\n')
  }
}

async function readLine(world: World, signal: AbortSignal): Promise<string | undefined> {
  const chunks = world.stdin[Symbol.asyncIterator]()
  const aborted = Promise.withResolvers<never>()
  const stop = (): void => aborted.reject(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    let typed = ''
    while (!lineEnd.test(typed)) {
      const next = await Promise.race([chunks.next(), aborted.promise])
      if (next.done) break
      typed += next.value.toString()
      if (typed.includes('\u0003')) world.interrupt() // Ctrl-C is a key like any other in raw mode
      signal.throwIfAborted()
    }
    return typed === '' || typed === '\u0004' ? undefined : withoutCorrections(typed.split(lineEnd)[0] ?? '')
  } finally {
    signal.removeEventListener('abort', stop)
    if (!signal.aborted) await chunks.return?.()
  }
}

/** In raw mode a backspace comes as it is typed. */
function withoutCorrections(typed: string): string {
  const kept: string[] = []
  for (const character of typed) {
    if (character === '\u007f' || character === '\b') kept.pop()
    else kept.push(character)
  }
  return kept.join('')
}

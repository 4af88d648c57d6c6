import { stripVTControlCharacters } from 'node:util'
import { run } from '../run.js'
import type { TextOutput, World } from '../world.js'
import { tempDirectory } from './temp-directory.js'

/** How a {@link TestWorld} differs from a pipe with an empty environment. */
export interface TestWorldOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Whether all three streams are a terminal. */
  readonly terminal?: boolean
  readonly columns?: number
  /** What is typed, line by line. */
  readonly typed?: readonly string[]
  /** What comes in on standard input, instead of what is typed. */
  readonly input?: Uint8Array
}

/** A world whose outputs can be read. */
export interface TestWorld extends World {
  readonly out: () => string
  readonly err: () => string
  readonly exits: readonly number[]
}

export function testWorld(options: TestWorldOptions = {}): TestWorld {
  const stdout = recorder(options)
  const stderr = recorder(options)
  const listeners = new Set<() => void>()
  const exits: number[] = []
  return {
    env: options.env ?? {},
    cwd: options.cwd ?? tempDirectory('cli'),
    stdin: {
      isTTY: options.terminal ?? false,
      async *[Symbol.asyncIterator]() {
        if (options.input) yield options.input
        for (const line of options.typed ?? []) yield `${line}\n`
      },
    },
    stdout,
    stderr,
    onInterrupt(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    exit: (code) => void exits.push(code),
    out: () => stdout.text(),
    err: () => stderr.text(),
    interrupt: () => {
      for (const listener of listeners) listener()
    },
    exits,
  }
}

/** Runs a command line in a world of its own. */
export async function runIn(
  options: TestWorldOptions,
  ...argv: string[]
): Promise<{ code: number; out: string; err: string; json: () => unknown }> {
  const world = testWorld(options)
  const code = await run(argv, world)
  return { code, out: world.out(), err: world.err(), json: () => JSON.parse(world.out()) as unknown }
}

function recorder({ terminal = false, columns = 100 }: TestWorldOptions): TextOutput & { text(): string } {
  const chunks: Uint8Array[] = []
  return {
    isTTY: terminal,
    columns,
    write: (data) => chunks.push(Buffer.from(data)) > 0,
    once: (_, listener) => listener(),
    text: () => stripVTControlCharacters(Buffer.concat(chunks).toString()),
  }
}

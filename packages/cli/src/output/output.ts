import type { World } from '../world.js'
import { type Paint, paintFor } from './colours.js'
import { createScrubber, type Scrubber } from './scrub.js'
import { widthOf } from './table.js'
import { visibleJson } from './visible.js'

/** Options that every command knows. */
export interface GlobalOptions {
  readonly config?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  /** `--no-color` makes it `false`. */
  readonly color?: boolean
  readonly progress?: 'auto' | 'bar' | 'lines' | 'json' | 'none'
}

/** What the program says, and where. Every line passes the scrubber. */
export interface Output {
  /** Whether results are one JSON document. */
  readonly json: boolean
  readonly verbose: boolean
  readonly quiet: boolean
  /** For what goes to standard output. */
  readonly paint: Paint
  /** For what goes to standard error. */
  readonly errorPaint: Paint
  /** Most characters of a line on standard output. */
  readonly width: number
  /** The result for people, on standard output. Nothing with `--json`. */
  result(text: string): void
  /** The result for programs, on standard output. Nothing without `--json`. */
  document(value: unknown): void
  /** What is going on, on standard error. Nothing with `--quiet`. */
  note(text: string): void
  /** What somebody should know, on standard error. */
  warn(text: string): void
  /** Only with `--verbose`, on standard error. */
  debug(text: string): void
  /** Text on standard error as it is: the report of an error. */
  error(text: string): void
  /** One line at the bottom of the terminal that is drawn again after everything else; `undefined` takes it away. */
  live(line: string | undefined): void
  /** Remembers a secret that must never be written. */
  hide(secret: string | undefined): void
  /** Remembers the name of a user, database or job, which is no secret even where a password equals it. */
  spare(word: string): void
}

export function createOutput(world: World, options: GlobalOptions): Output {
  const scrubber = createScrubber()
  const json = options.json ?? false
  const quiet = options.quiet ?? false
  const verbose = options.verbose ?? false
  const colour = options.color ?? true
  const errorPaint = paintFor(world.stderr, world.env, colour)
  const liveLine = createLiveLine(world, scrubber)
  const writeClean = (stream: World['stdout'], text: string): void => {
    liveLine.away()
    stream.write(`${text}\n`)
    liveLine.back()
  }
  const write = (stream: World['stdout'], text: string): void => writeClean(stream, scrubber.scrub(text))
  return {
    json,
    quiet,
    verbose,
    paint: paintFor(world.stdout, world.env, colour),
    errorPaint,
    width: world.stdout.isTTY ? (world.stdout.columns ?? 80) : Number.POSITIVE_INFINITY,
    result: (text) => {
      if (!json) write(world.stdout, text)
    },
    document: (value) => {
      if (json) writeClean(world.stdout, toJson(value, scrubber))
    },
    note: (text) => {
      if (!quiet) write(world.stderr, text)
    },
    warn: (text) => write(world.stderr, `${errorPaint.warning('Warning:')} ${text}`),
    debug: (text) => {
      if (verbose) write(world.stderr, errorPaint.faint(text))
    },
    error: (text) => write(world.stderr, text),
    live: liveLine.set,
    hide: scrubber.hide,
    spare: scrubber.spare,
  }
}

/** Values are scrubbed before they are encoded: a secret with a quote in it looks different afterwards. */
function toJson(value: unknown, scrubber: Scrubber): string {
  const clean = (key: string, item: unknown): unknown =>
    typeof item === 'string' && !(structural.has(key) && /^[a-z][a-z_-]*$/.test(item)) ? scrubber.scrub(item) : item
  return visibleJson(JSON.stringify(value, clean, 2))
}

/** What lies under these is a word of this program's own, whatever the password. */
const structural = new Set(['engine', 'status', 'code', 'codec', 'type', 'level', 'mode', 'stage', 'kind'])

function createLiveLine(
  world: World,
  scrubber: Scrubber,
): { set(line: string | undefined): void; away(): void; back(): void } {
  let current: string | undefined
  const clear = '\r\u001b[K'
  const draw = (): void => {
    if (current !== undefined) world.stderr.write(clear + scrubber.scrub(current))
  }
  return {
    set(line) {
      if (line === undefined && current !== undefined) world.stderr.write(clear)
      current = line !== undefined && widthOf(line) > 0 ? line : undefined
      draw()
    },
    away() {
      if (current !== undefined) world.stderr.write(clear)
    },
    back: draw,
  }
}

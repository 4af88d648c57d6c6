import { BackupError, type ByteStream, MiB } from '@holdfast/core'
import { scanPiece } from './script-scanner.js'

/** What may pass. Each is asked for every piece of its kind. */
export interface ScriptFilter {
  /** Whether a statement passes. */
  statement(sql: string): boolean
  /** Whether a line with a command for psql passes. Throws to refuse the whole script. */
  command(line: string): boolean
  /** Sees space and comments, which always pass. */
  other?(text: string): void
  /** Sees the rows of COPY, which always pass, in pieces: from the first row to the last, each with its line feed. */
  rows?(bytes: Buffer): void
}

/** Statements are looked at whole; rows of COPY are not statements. */
const maxStatementBytes = 256 * MiB

/**
 * Passes an SQL script on without what the filter does not want. Rows between `COPY … FROM stdin;` and `\.` pass as
 * they are, at little cost.
 *
 * @throws {BackupError} `restore-refused` for a statement too long to be looked at; `corrupt` where rows have no end;
 *   what `filter.command` throws.
 */
export async function* filterScript(source: ByteStream, filter: ScriptFilter): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0)
  let place: Place = 'statements'
  let worthwhile = 0 // length of the rest from which on it is looked at: a piece that was not whole wants twice as much

  const pass = (atEnd: boolean): readonly Buffer[] => {
    const window = windowOf(rest, atEnd)
    const passed: Buffer[] = []
    let index = 0
    while (index < rest.length) {
      const step: Step | undefined =
        place === 'statements' ? passPiece(window, index, filter) : passRows(window, index, place, filter)
      if (!step) break
      if (step.passed) passed.push(step.passed)
      index = step.end
      place = step.next
    }
    rest = rest.subarray(index)
    worthwhile = place === 'statements' ? rest.length * 2 : 0
    return passed
  }

  for await (const chunk of source) {
    rest =
      rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([rest, chunk])
    if (rest.length > maxStatementBytes) throw tooLong()
    if (rest.length >= worthwhile) yield* joined(pass(false))
  }
  yield* joined(pass(true))
  if (place !== 'statements') throw endless()
}

function* joined(pieces: readonly Buffer[]): Generator<Uint8Array> {
  const [only] = pieces
  if (only) yield pieces.length === 1 ? only : Buffer.concat(pieces)
}

/** What comes next in a script. `first rows`: those of a COPY, from the end of the line that it stands on. */
type Place = 'statements' | 'first rows' | 'rows'

/** The bytes at hand. */
interface Window {
  readonly bytes: Buffer
  /** The same, one character a byte; made when it is first asked for, as rows do without. */
  readonly text: string
  /** Whether no more will come. */
  readonly atEnd: boolean
}

/** A piece of a script that was dealt with. */
interface Step {
  /** Absent: it was left out. */
  readonly passed?: Buffer
  /** First byte after it. */
  readonly end: number
  /** What begins there. */
  readonly next: Place
}

function windowOf(bytes: Buffer, atEnd: boolean): Window {
  let text: string | undefined
  return {
    bytes,
    atEnd,
    get text() {
      text ??= bytes.toString('latin1')
      return text
    },
  }
}

/** @returns `undefined` when more has to come first. */
function passPiece({ bytes, text, atEnd }: Window, from: number, filter: ScriptFilter): Step | undefined {
  const piece = scanPiece(text, from, atEnd)
  if (!piece) return undefined
  const { kind, end } = piece
  const own = bytes.subarray(from, end)
  const next = kind === 'statement' && isCopyFromInput(own) ? 'first rows' : 'statements'
  return { ...(passes(kind, own, filter) && { passed: own }), end, next }
}

function passes(kind: 'statement' | 'command' | 'other', bytes: Buffer, filter: ScriptFilter): boolean {
  if (kind === 'statement') return filter.statement(bytes.toString('utf8'))
  if (kind === 'command') return filter.command(bytes.toString('utf8'))
  filter.other?.(bytes.toString('utf8'))
  return true
}

function isCopyFromInput(statement: Buffer): boolean {
  return (
    /^copy\s/i.test(statement.toString('latin1', 0, 5)) &&
    /\sfrom\s+stdin;$/i.test(statement.toString('latin1').slice(-40))
  )
}

const [lineFeed, carriage] = [0x0a, 0x0d]

/** @returns `undefined` when more has to come first. */
function passRows({ bytes, atEnd }: Window, from: number, place: Place, filter: ScriptFilter): Step | undefined {
  const isFirst = place === 'first rows'
  const lineEnd = isFirst && bytes[from] === carriage ? from + 1 : from
  const { end, mark } = endOfRows(bytes, lineEnd, atEnd) // from the line feed on: it may begin the end of no rows at all
  if (end <= lineEnd) return undefined
  filter.rows?.(bytes.subarray(isFirst ? lineEnd + 1 : from, end - mark))
  return { passed: bytes.subarray(from, end), end, next: mark > 0 ? 'statements' : 'rows' }
}

const endOfCopy = Buffer.from('\n\\.')
const longestEnd = endOfCopy.length + 2

/** Up to where rows can be passed on, and the length of their end (`\.` on a line of its own) where it is there. */
function endOfRows(bytes: Buffer, from: number, atEnd: boolean): { readonly end: number; readonly mark: number } {
  for (let at = bytes.indexOf(endOfCopy, from); at >= 0; at = bytes.indexOf(endOfCopy, at + 1)) {
    const after = at + endOfCopy.length
    const lineEnd = bytes[after] === carriage ? 2 : 1
    if (bytes[after + lineEnd - 1] === lineFeed) return { end: after + lineEnd, mark: 2 + lineEnd }
    if (after + lineEnd > bytes.length) break // the rest of the line has not come yet
  }
  return { end: atEnd ? bytes.length : Math.max(from, bytes.length - longestEnd + 1), mark: 0 }
}

/** psql takes all that follows for rows, and ends well: a table of one text column swallows the rest of the dump. */
function endless(): BackupError {
  return new BackupError('corrupt', {
    message: 'The dump is not whole: the rows of a table have no end (a line with \\. alone)',
    hint: 'It was cut or changed since it was made. Use another copy of it, or another dump.',
  })
}

function tooLong(): BackupError {
  return new BackupError('restore-refused', {
    message: `The dump holds a single statement of more than ${maxStatementBytes / MiB} MiB`,
    hint: 'Restore it with psql by hand, as its manifest says.',
  })
}

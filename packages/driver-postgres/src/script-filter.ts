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
const [lineFeed, carriage] = [0x0a, 0x0d]
const endOfCopy = Buffer.from('\n\\.')
const longestEnd = endOfCopy.length + 2

/**
 * Passes an SQL script on without what the filter does not want. Rows between `COPY … FROM stdin;` and `\.` pass as
 * they are, at little cost.
 *
 * @throws {BackupError} `restore-refused` for a statement too long to be looked at; `corrupt` where rows have no end;
 *   what `filter.command` throws.
 */
export async function* filterScript(source: ByteStream, filter: ScriptFilter): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0)
  let inCopy = false
  let beforeRows = false // the line feed after the statement is the next byte
  let scanAt = 0 // a piece that was not whole is tried again when there is twice as much

  const take = (bytes: Buffer, atEnd: boolean): readonly Buffer[] => {
    const passed: Buffer[] = []
    let text = inCopy ? '' : bytes.toString('latin1')
    let index = 0
    while (index < bytes.length) {
      if (inCopy) {
        const end = endOfRows(bytes, index, atEnd)
        if (end.rows > index) {
          const piece = bytes.subarray(index, end.rows)
          passed.push(piece)
          filter.rows?.(piece.subarray(beforeRows ? 1 : 0, end.mark > 0 ? -end.mark : undefined))
          beforeRows = false
        }
        index = end.rows
        if (end.mark === 0) break
        inCopy = false
        text = bytes.toString('latin1')
      }
      const piece = scanPiece(text, index, atEnd)
      if (!piece) break
      const bytesOfPiece = bytes.subarray(index, piece.end)
      if (passes(piece.kind, bytesOfPiece, filter)) passed.push(bytesOfPiece)
      index = piece.end
      inCopy = piece.kind === 'statement' && isCopyFromInput(bytesOfPiece)
      if (inCopy) index = passLineEnd(bytes, index, passed)
      beforeRows = inCopy
    }
    rest = bytes.subarray(index)
    scanAt = inCopy ? 0 : rest.length * 2
    return passed
  }

  for await (const chunk of source) {
    rest =
      rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([rest, chunk])
    if (rest.length > maxStatementBytes) throw tooLong()
    if (rest.length >= scanAt) yield* joined(take(rest, false))
  }
  yield* joined(take(rest, true))
  if (inCopy) throw endless()
}

function* joined(pieces: readonly Buffer[]): Generator<Uint8Array> {
  const [only] = pieces
  if (only) yield pieces.length === 1 ? only : Buffer.concat(pieces)
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

/** The rows begin after the line of the statement. */
function passLineEnd(bytes: Buffer, index: number, passed: Buffer[]): number {
  const newline = bytes[index] === carriage ? index + 1 : index
  if (bytes[newline] !== lineFeed) return index
  passed.push(bytes.subarray(index, newline)) // the line feed stays: it may begin the end of no rows at all
  return newline
}

/** Up to where rows can be passed on, and the length of their end (`\.` on a line of its own) where it is there. */
function endOfRows(bytes: Buffer, from: number, atEnd: boolean): { readonly rows: number; readonly mark: number } {
  for (let at = bytes.indexOf(endOfCopy, from); at >= 0; at = bytes.indexOf(endOfCopy, at + 1)) {
    const after = at + endOfCopy.length
    const lineEnd = bytes[after] === carriage ? 2 : 1
    if (bytes[after + lineEnd - 1] === lineFeed) return { rows: after + lineEnd, mark: 2 + lineEnd }
    if (after + lineEnd > bytes.length) break // the rest of the line has not come yet
  }
  return { rows: atEnd ? bytes.length : Math.max(from, bytes.length - longestEnd + 1), mark: 0 }
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

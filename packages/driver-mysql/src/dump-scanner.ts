import { BackupError, type ByteStream, MiB } from '@holdfast/core'
import { followModes } from './sql-modes.js'

/** A piece of a dump. */
export type DumpPiece =
  /** A whole statement without its delimiter. `end` is its delimiter and the rest of its last line. */
  | { readonly kind: 'statement'; readonly sql: string; readonly bytes: Buffer; readonly delimiter: string }
  /** A run of bytes of an INSERT. `first` begins one, `last` ends with its delimiter. */
  | { readonly kind: 'rows'; readonly bytes: Buffer; readonly first: boolean; readonly last: boolean }
  /** A line that begins with `--` or `#`, or a plain comment between statements. */
  | { readonly kind: 'comment'; readonly bytes: Buffer }
  /** A `DELIMITER` line. */
  | { readonly kind: 'delimiter'; readonly delimiter: string }

/** Statements other than INSERT are looked at whole. */
const maxStatementBytes = 64 * MiB
/** What must be there to tell what begins: enough for the words before a table's name, and any comment mark. */
const lookAhead = 512

const [tab, newline, carriage, space] = [0x09, 0x0a, 0x0d, 0x20]
const [quote, double, backtick, backslash] = [0x27, 0x22, 0x60, 0x5c]
const [hash, star, dash, slash, bang, letterM, plus] = [0x23, 0x2a, 0x2d, 0x2f, 0x21, 0x4d, 0x2b]

type Within = 'gap' | 'statement' | 'rows'

/**
 * Cuts a dump of mysqldump or mariadb-dump into pieces, as their clients do: quotes, comments, delimiters. Rows are
 * passed on as they come, so that a row of a gigabyte takes no memory.
 *
 * @throws {BackupError} `restore-refused` for a backslash outside quotes, which is a command for the client
 *   (`\! rm`), for one of which it is not clear what it means, and for a statement too long to be looked at.
 * @see client/mysql.cc, `add_line`, in MariaDB and MySQL
 */
export async function* scanDump(source: ByteStream): AsyncGenerator<readonly DumpPiece[]> {
  const scanner = createScanner()
  for await (const chunk of source) {
    const pieces = scanner.push(chunk)
    if (pieces.length > 0) yield pieces
  }
  yield scanner.end()
}

interface Scanner {
  push(chunk: Uint8Array): readonly DumpPiece[]
  end(): readonly DumpPiece[]
}

function createScanner(): Scanner {
  let rest: Buffer = Buffer.alloc(0)
  let held: Buffer[] = [] // the statement so far
  let heldBytes = 0
  let within: Within = 'gap'
  let inQuote = 0
  let quoteAt = -1 // of the bytes at hand: the next of those marks, once it was looked for
  let inComment: 'line' | 'block' | undefined
  let firstRows = false
  let delimiter = ';'
  const modes = followModes()
  let pieces: DumpPiece[] = []

  const special = new Uint8Array(256)
  const mark = (): void => {
    special.fill(0)
    for (const byte of [quote, double, backtick, backslash, hash, dash, slash]) special[byte] = 1
    special[delimiter.charCodeAt(0)] = 1
  }
  mark()

  /** Passes on what has been seen of a statement: rows at once, the rest when it is whole. */
  const take = (bytes: Buffer, last: boolean): void => {
    if (within === 'rows') {
      if (bytes.length > 0 || last) pieces.push({ kind: 'rows', bytes, first: firstRows, last })
      firstRows = false
    } else {
      held.push(Buffer.from(bytes)) // whoever gave us the chunk may reuse it
      heldBytes += bytes.length
      if (heldBytes > maxStatementBytes) throw tooLong()
    }
    if (!last) return
    if (within === 'statement') {
      const whole = Buffer.concat(held)
      const text = whole.subarray(0, whole.length - delimiter.length)
      const sql = text.toString('utf8')
      modes.follow(sql) // what it does not understand, the filter refuses
      pieces.push({ kind: 'statement', sql, bytes: text, delimiter })
    }
    held = []
    heldBytes = 0
    within = 'gap'
  }

  /** @returns Where it stopped: the end, or where more bytes are needed. */
  const scan = (bytes: Buffer, atEnd: boolean): number => {
    let at = 0
    quoteAt = -1
    while (at < bytes.length) {
      if (within === 'gap') {
        const next = gap(bytes, at, atEnd)
        if (next === undefined) return at
        at = next
        continue
      }
      const stop = inside(bytes, at, atEnd)
      if (stop === at) return at
      at = stop
    }
    return at
  }

  /** Space, comments and DELIMITER between statements. `undefined`: more bytes are needed. */
  const gap = (bytes: Buffer, from: number, atEnd: boolean): number | undefined => {
    let at = from
    while (at < bytes.length && isSpace(bytes[at])) at++
    if (at > from) return at
    if (bytes.length - at < lookAhead && !atEnd) return undefined
    const head = bytes.toString('latin1', at, at + lookAhead)
    if (/^(--[\s\0]|--$|#)|^\/\*M?!999999\\-/.test(head)) {
      const end = bytes.indexOf(newline, at)
      if (end < 0 && !atEnd) return undefined
      const stop = end < 0 ? bytes.length : end + 1
      pieces.push({ kind: 'comment', bytes: bytes.subarray(at, stop) })
      return stop
    }
    if (/^\/\*(?![!+]|M!)/.test(head)) {
      const end = bytes.indexOf('*/', at + 2)
      if (end < 0 && !atEnd) return undefined
      return end < 0 ? bytes.length : end + 2
    }
    if (/^delimiter\s/i.test(head)) {
      const end = bytes.indexOf(newline, at)
      if (end < 0 && !atEnd) return undefined
      const stop = end < 0 ? bytes.length : end + 1
      delimiter = delimiterOf(bytes.toString('latin1', at, stop))
      mark()
      pieces.push({ kind: 'delimiter', delimiter })
      return stop
    }
    within = /^(insert|replace)\s/i.test(head) ? 'rows' : 'statement'
    firstRows = true
    return at
  }

  /** Where the next quote mark or backslash in quotes is, or the end. A short text takes less than a call of indexOf. */
  const specialInQuote = (bytes: Buffer, from: number): number => {
    const { length } = bytes
    const mark = inQuote
    const other = modes.backslashIn(mark) === 'plain' ? mark : backslash
    const near = Math.min(length, from + 64)
    let at = from
    while (at < near && bytes[at] !== mark && bytes[at] !== other) at++
    if (at < near || at === length) return at
    if (quoteAt < at) quoteAt = endOr(length, bytes.indexOf(mark, at))
    return other === mark ? quoteAt : endOr(quoteAt - at, bytes.subarray(at, quoteAt).indexOf(backslash)) + at
  }

  /** Within a statement, up to its end or that of the bytes. */
  const inside = (bytes: Buffer, from: number, atEnd: boolean): number => {
    const { length } = bytes
    let at = from
    while (at < length) {
      if (inQuote !== 0) {
        at = specialInQuote(bytes, at)
        if (at >= length) break
        if (bytes[at] === inQuote) inQuote = 0
        else if (modes.backslashIn(inQuote) === 'unclear') throw unclear(bytes.subarray(from, at + 20).toString('utf8'))
        else if (at + 1 >= length && !atEnd)
          break // what is escaped has not come yet
        else at++
        at++
        continue
      }
      if (inComment) {
        const end = inComment === 'line' ? bytes.indexOf(newline, at) : bytes.indexOf('*/', at)
        if (end < 0) {
          at = inComment === 'line' || atEnd ? length : Math.max(at, length - 1)
          break
        }
        at = end + (inComment === 'line' ? 1 : 2)
        inComment = undefined
        continue
      }
      while (at < length && special[bytes[at] as number] === 0) at++
      if (at >= length) break
      const byte = bytes[at]
      if (byte === quote || byte === double || byte === backtick) {
        inQuote = byte
        quoteAt = -1
        at++
        continue
      }
      if (at + 4 > length && !atEnd) break
      if (isDelimiter(bytes, at, delimiter)) {
        at += delimiter.length
        take(bytes.subarray(from, at), true)
        return at
      }
      if (byte === backslash) throw command(bytes.subarray(at, at + 60).toString('utf8'))
      if (byte === hash) inComment = 'line'
      else if (byte === dash && bytes[at + 1] === dash && isSpaceOrEnd(bytes[at + 2])) inComment = 'line'
      else if (byte === slash && bytes[at + 1] === star && !isCode(bytes, at + 2)) {
        inComment = 'block'
        at++
      }
      at++
    }
    at = Math.min(at, length)
    if (at > from) take(bytes.subarray(from, at), false)
    return at
  }

  const run = (bytes: Buffer, atEnd: boolean): void => {
    rest = bytes.subarray(scan(bytes, atEnd))
    if (rest.length > maxStatementBytes) throw tooLong()
  }
  const found = (): readonly DumpPiece[] => {
    const done = pieces
    pieces = []
    return done
  }
  return {
    push(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      let at = 0
      // What was left over is looked at with a little of this chunk, and with more where that is too little: to join it
      // with the whole chunk would copy every byte.
      for (let size = 2 * lookAhead; rest.length > 0 && at < bytes.length; size *= 4) {
        const part = bytes.subarray(at, at + size)
        run(Buffer.concat([rest, part]), false)
        at += part.length
        if (rest.length > part.length) continue
        at -= rest.length
        rest = Buffer.alloc(0)
      }
      if (at < bytes.length) run(bytes.subarray(at), false)
      rest = Buffer.from(rest) // it must survive the chunk it came with
      return found()
    },
    end() {
      run(rest, true)
      if (within !== 'gap' && (heldBytes > 0 || within === 'rows')) throw cutShort()
      return found()
    },
  }
}

/** What `indexOf` has found, or `end` where that was nothing. */
function endOr(end: number, found: number): number {
  return found < 0 ? end : found
}

function isSpace(byte: number | undefined): boolean {
  return byte === space || byte === newline || byte === carriage || byte === tab
}

function isSpaceOrEnd(byte: number | undefined): boolean {
  return byte === undefined || byte <= space
}

/** Whether what follows a comment's mark makes it code: `/*!`, `/*M!`, and hints `/*+`. */
function isCode(bytes: Buffer, at: number): boolean {
  return bytes[at] === bang || bytes[at] === plus || (bytes[at] === letterM && bytes[at + 1] === bang)
}

function isDelimiter(bytes: Buffer, at: number, delimiter: string): boolean {
  for (let index = 0; index < delimiter.length; index++) {
    if (bytes[at + index] !== delimiter.charCodeAt(index)) return false
  }
  return true
}

/** Those that dump programs write; any other could hide what follows it from us but not from the client. */
function delimiterOf(line: string): string {
  const delimiter = /^delimiter[ \t]+(;|;;|\/\/|\$\$)[ \t]*\r?\n?$/i.exec(line)?.[1]
  if (delimiter) return delimiter
  throw command(line)
}

function command(line: string): BackupError {
  return new BackupError('restore-refused', {
    message: `The dump holds a command for the client: ${JSON.stringify(line.trim().slice(0, 60))}`,
    hint: 'Such a command could run programs on this machine. If you trust the dump, restore it by hand as its manifest says.',
  })
}

function unclear(text: string): BackupError {
  return new BackupError('restore-refused', {
    message: `The dump holds a backslash in a name in double quotes: ${JSON.stringify(text.trim().slice(-60))}`,
    hint: 'Some clients take it for an escape, and the rest of the dump for something else than the server does. If you trust the dump, restore it by hand as its manifest says.',
  })
}

function tooLong(): BackupError {
  return new BackupError('restore-refused', {
    message: `The dump holds a single statement of more than ${maxStatementBytes / MiB} MiB that is no INSERT`,
    hint: 'Restore it by hand, as its manifest says.',
  })
}

function cutShort(): BackupError {
  return new BackupError('corrupt', { message: 'The dump is not whole: it ends in the middle of a statement' })
}

import type { SqlModes } from './sql-modes.js'

/** Looks at rows on their way to the client. */
export interface PlainRows {
  /**
   * @param first - Whether an INSERT begins with these bytes.
   * @param last - Whether it ends with them.
   * @returns Whether it is, so far, one of a dump program: names, and rows of values. Anything else could call a
   *   function that the dump has made, or read other databases.
   */
  push(bytes: Uint8Array, first: boolean, last: boolean): boolean
}

const name = '(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|[\\w$\\x80-\\xff]+)'
const head = new RegExp(
  `^(?:INSERT|REPLACE)\\s+(?:IGNORE\\s+)?INTO\\s+${name}\\s*(?:\\(\\s*${name}(?:\\s*,\\s*${name})*\\s*\\)\\s*)?VALUES\\s*(?=\\()`,
  'i',
)
/** More than the names of all columns that a table can have. */
const longestHead = 1_048_576

const [quote, double, backslash, open, close, dash] = [0x27, 0x22, 0x5c, 0x28, 0x29, 0x2d]
const bytesOf = (pattern: RegExp): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (pattern.test(String.fromCharCode(byte)) ? 1 : 0))
/** Numbers, NULL, marks of character sets, and variables, which the filter believes nothing. Whatever calls or asks something takes parentheses, or is a comment. */
const inRow = bytesOf(/[\w\s.,+@:=-]/)
const betweenRows = bytesOf(/[\s,;]/)

/** @param modes - Of the session in which the rows are read: they say where quotes end. */
export function followRows(modes: Pick<SqlModes, 'backslashIn'>): PlainRows {
  let begun: string | undefined // the words before the rows
  let inQuote = 0
  let escaped = false
  let isOpen = false
  let before = 0

  const rows = (bytes: Uint8Array, from: number): boolean => {
    let escapes = modes.backslashIn(inQuote) !== 'plain'
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (inQuote > 0) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = escapes
        else if (byte === inQuote) inQuote = 0
        continue
      }
      if (isOpen && (byte === quote || byte === double)) {
        inQuote = byte
        escapes = modes.backslashIn(byte) !== 'plain'
      } else if (byte === (isOpen ? close : open)) isOpen = !isOpen
      else if ((isOpen ? inRow : betweenRows)[byte] === 0 || (byte === dash && before === dash)) return false
      before = byte
    }
    return true
  }

  return {
    push(bytes, first, last) {
      if (first) {
        begun = ''
        isOpen = false
        inQuote = 0
        escaped = false
        before = 0
      }
      if (begun === undefined) return rows(bytes, 0)
      const seen = begun.length
      begun += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
      const found = head.exec(begun)?.[0].length
      if (found === undefined) return !last && begun.length < longestHead
      begun = undefined
      return rows(bytes, found - seen)
    },
  }
}

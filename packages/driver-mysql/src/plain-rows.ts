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

/**
 * Numbers, NULL, marks of character sets, and variables, which the filter believes nothing. Whatever calls or asks
 * something takes parentheses, or is a comment.
 */
const plain = /[\w\s.,+@:=-]/

/** Where a reader of rows stands. */
const at = { between: 0, row: 1, dash: 2, single: 3, singleEscape: 4, double: 5, doubleEscape: 6, refused: 7 } as const

/**
 * What follows each place at each byte, `place * 256 + byte`: every byte that is restored passes here, and a table is
 * several times as fast as questions are.
 */
function automaton(escapesInSingle: boolean, escapesInDouble: boolean): Uint8Array {
  const next = new Uint8Array(8 * 256).fill(at.refused)
  const on = (place: number, bytes: RegExp, to: number): void => {
    for (let byte = 0; byte < 256; byte++) if (bytes.test(String.fromCharCode(byte))) next[place * 256 + byte] = to
  }
  on(at.between, /[\s,;]/, at.between)
  on(at.between, /\(/, at.row)
  for (const place of [at.row, at.dash]) {
    on(place, plain, at.row)
    on(place, /-/, place === at.row ? at.dash : at.refused)
    on(place, /'/, at.single)
    on(place, /"/, at.double)
    on(place, /\)/, at.between)
  }
  const inQuotes = (place: number, quote: RegExp, escaped: number, escapes: boolean): void => {
    on(place, /[\s\S]/, place)
    on(place, quote, at.row)
    if (escapes) on(place, /\\/, escaped)
    on(escaped, /[\s\S]/, place)
  }
  inQuotes(at.single, /'/, at.singleEscape, escapesInSingle)
  inQuotes(at.double, /"/, at.doubleEscape, escapesInDouble)
  return next
}

const [singleQuote, doubleQuote] = [0x27, 0x22]
const automata = [false, true].map((inSingle) => [false, true].map((inDouble) => automaton(inSingle, inDouble)))

/** @param modes - Of the session in which the rows are read: they say where quotes end. */
export function followRows(modes: Pick<SqlModes, 'backslashIn'>): PlainRows {
  let begun: string | undefined // the words before the rows
  let place: number = at.between
  const escapesIn = (quote: number): number => Number(modes.backslashIn(quote) !== 'plain')

  const rows = (bytes: Uint8Array, from: number): boolean => {
    const next = automata[escapesIn(singleQuote)]?.[escapesIn(doubleQuote)] as Uint8Array
    const { length } = bytes
    let now = place
    for (let index = from; index < length; ) {
      // Most bytes change nothing: looking up those does not have to wait for what the one before has led to.
      const row = now * 256
      let then = now
      while (then === now && index < length) then = next[row + (bytes[index++] as number)] as number
      now = then
    }
    place = now
    return place !== at.refused
  }

  return {
    push(bytes, first, last) {
      if (first) {
        begun = ''
        place = at.between
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

/** Receives the rows of an INSERT, each in one or more pieces. */
export interface RowSink {
  /** The words before VALUES, once for each statement. */
  head(text: string): void
  /** Bytes of a row, without its parentheses. */
  bytes(piece: Buffer): void
  /** The row is whole. */
  end(): void
}

/** Cuts INSERT statements into rows, whatever pieces they come in. */
export interface RowSplitter {
  /** @param first - Whether a statement begins with these bytes. */
  push(bytes: Buffer, first: boolean): void
}

const [quote, backslash, open, close] = [0x27, 0x5c, 0x28, 0x29]
/** Up to the rows: a list of columns may stand before, with anything in its names. */
const head = /^(?:[^`v]|`(?:[^`]|``)*`|v(?!alues\s))*values\s+/i

/** Makes a splitter for rows as dump programs write them: backslashes escape, and strings stand in single quotes. */
export function createRowSplitter(sink: RowSink): RowSplitter {
  let before: string | undefined
  let depth = 0
  let inString = false
  let escaped = false

  const rows = (bytes: Buffer, from: number): void => {
    let start = from
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]
      if (inString) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) inString = false
      } else if (byte === quote) inString = true
      else if (byte === open && ++depth === 1) start = at + 1
      else if (byte === close && --depth === 0) {
        sink.bytes(bytes.subarray(start, at))
        sink.end()
      }
    }
    if (depth > 0) sink.bytes(bytes.subarray(start))
  }

  return {
    push(bytes, first) {
      if (first) {
        before = ''
        depth = 0
      }
      if (before === undefined) return rows(bytes, 0)
      const seen = before.length
      before += bytes.toString('latin1')
      const match = head.exec(before)
      if (!match) return
      sink.head(match[0])
      before = undefined
      rows(bytes, match[0].length - seen)
    },
  }
}

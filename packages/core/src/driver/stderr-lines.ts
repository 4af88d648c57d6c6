import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

const maxLineLength = 8_192
const maxTailLines = 20
const maxTailLength = 4_096
/** A line of the tail keeps its beginning, which tells what kind of line it is. */
const maxTailLineLength = 1_024

/** What a program says on standard error, as lines; memory is bounded whatever it says. */
export interface StderrLines {
  /** The last lines so far: at most 20, each from its beginning, of 4,096 characters together. */
  tail(): string
}

/**
 * Reads standard error line by line. Lines beyond 8,192 characters are cut, empty ones dropped.
 *
 * @param onLine - Receives each line as soon as it is complete. The last one needs no line feed.
 * @param toKeep - What the tail keeps of a line. Asked of every line in turn: what a line is may hang on those before
 *   it, however long ago they left the tail.
 */
export function readLines(
  stderr: Readable,
  onLine: (line: string) => void,
  toKeep: (line: string) => string | undefined = (line) => line,
): StderrLines {
  const decoder = new StringDecoder('utf8')
  const tail: string[] = []
  let rest = ''

  const emit = (text: string): void => {
    const line = text.slice(0, maxLineLength).trimEnd()
    if (line === '') return
    const kept = toKeep(line)
    if (kept !== undefined) tail.push(kept.slice(0, maxTailLineLength))
    if (tail.length > maxTailLines) tail.shift()
    onLine(line)
  }
  const take = (text: string): void => {
    const lines = (rest + text).split(/\r\n|[\r\n]/)
    rest = (lines.pop() as string).slice(0, maxLineLength)
    lines.forEach(emit)
  }

  stderr.on('data', (chunk: Buffer) => take(decoder.write(chunk)))
  stderr.on('end', () => emit(rest + decoder.end()))
  return { tail: () => wholeLinesAtTheEnd(tail.join('\n')) }
}

function wholeLinesAtTheEnd(text: string): string {
  if (text.length <= maxTailLength) return text
  return text.slice(text.indexOf('\n', text.length - maxTailLength - 1) + 1)
}

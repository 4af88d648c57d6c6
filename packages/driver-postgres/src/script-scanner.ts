/** A piece of an SQL script. */
export interface ScriptPiece {
  /** `statement` with its semicolon; `command` holds a backslash for psql itself; `other` is space and comments. */
  readonly kind: 'statement' | 'command' | 'other'
  /** First character after it. */
  readonly end: number
}

/**
 * The piece of a script that begins at `start`, cut as psql's own scanner does (`standard_conforming_strings` on, as
 * pg_dump writes). Text is one character a byte (latin1): all that matters is ASCII.
 *
 * @param atEnd - Whether no more text will come.
 * @returns `undefined` when more text is needed to tell, or none is left.
 * @see src/fe_utils/psqlscan.l in PostgreSQL
 */
export function scanPiece(text: string, start: number, atEnd: boolean): ScriptPiece | undefined {
  if (start >= text.length) return undefined
  const space = endOfSpace(text, start, atEnd)
  if (space === undefined) return undefined
  return space > start ? { kind: 'other', end: space } : scanStatement(text, start, atEnd)
}

/** What a statement may nest: semicolons within end nothing. */
interface Nesting {
  parentheses: number
  /** BEGIN ATOMIC and CASE, within CREATE FUNCTION. */
  blocks: number
  /** The first words, lower case. */
  words: string[]
}

function scanStatement(text: string, start: number, atEnd: boolean): ScriptPiece | undefined {
  const nesting: Nesting = { parentheses: 0, blocks: 0, words: [] }
  for (let index = start; index < text.length; ) {
    const char = text.charAt(index)
    if (char === '\\') return endOfLine(text, index, atEnd)
    if (char === ';' && nesting.parentheses === 0 && nesting.blocks === 0) return { kind: 'statement', end: index + 1 }
    const end = endOfToken(text, index, atEnd)
    if (end === undefined) return undefined
    nest(nesting, text.slice(index, Math.min(end, index + 32)))
    index = end
  }
  return atEnd ? { kind: 'statement', end: text.length } : undefined
}

function nest(nesting: Nesting, token: string): void {
  if (token === '(') nesting.parentheses++
  else if (token === ')') nesting.parentheses = Math.max(0, nesting.parentheses - 1)
  if (!/^[A-Za-z]/.test(token)) return
  const word = token.toLowerCase()
  if (nesting.words.length < 4) nesting.words.push(word)
  if (!/^create (or replace )?(function|procedure)\b/.test(nesting.words.join(' '))) return
  if (word === 'begin' || (word === 'case' && nesting.blocks > 0)) nesting.blocks++
  else if (word === 'end' && nesting.blocks > 0) nesting.blocks--
}

function endOfLine(text: string, from: number, atEnd: boolean): ScriptPiece | undefined {
  const newline = text.indexOf('\n', from)
  if (newline >= 0) return { kind: 'command', end: newline + 1 }
  return atEnd ? { kind: 'command', end: text.length } : undefined
}

/** The end of the space and comments that begin at `from`; `undefined` when it cannot be told yet. */
function endOfSpace(text: string, from: number, atEnd: boolean): number | undefined {
  let index = from
  while (index < text.length) {
    if (/\s/.test(text.charAt(index))) {
      index++
      continue
    }
    const pair = text.slice(index, index + 2)
    if ((pair === '-' || pair === '/') && !atEnd) return index > from ? index : undefined
    if (pair !== '--' && pair !== '/*') return index
    const end = pair === '--' ? endOfLine(text, index, atEnd)?.end : endOfComment(text, index, atEnd)
    if (end === undefined) return index > from ? index : undefined
    index = end
  }
  return index
}

const quotedText = /'(?:[^']|'')*'/y
const escapedText = /[eE]'(?:[^'\\]|''|\\[\s\S])*'/y
const quotedName = /"(?:[^"]|"")*"/y
const dollarTag = /\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$/y
const word = /[\w$\x80-\xff]+/y

/** The end of the token at `from`. One that could go on in text to come is not told before that has come. */
function endOfToken(text: string, from: number, atEnd: boolean): number | undefined {
  const known = (end: number | undefined): number | undefined =>
    end === undefined ? (atEnd ? text.length : undefined) : end < text.length || atEnd ? end : undefined
  const char = text.charAt(from)
  const pair = text.slice(from, from + 2)
  if (pair === '--') return known(endOfLine(text, from, atEnd)?.end)
  if (pair === '/*') return known(endOfComment(text, from, atEnd))
  if (char === "'") return known(match(quotedText, text, from))
  if (char === '"') return known(match(quotedName, text, from))
  if (char === '$') {
    if (text.indexOf('$', from + 1) < 0 && !atEnd && /^\$[\w\x80-\xff]*$/.test(text.slice(from, from + 70)))
      return undefined
    const tagEnd = match(dollarTag, text, from)
    return tagEnd === undefined ? from + 1 : known(endOfDollarQuote(text, from, tagEnd))
  }
  if (/[eE]/.test(char) && pair.endsWith("'")) return known(match(escapedText, text, from))
  if (/[\w\x80-\xff]/.test(char)) return known(match(word, text, from))
  return char === '-' || char === '/' ? known(from + 1) : from + 1
}

function match(pattern: RegExp, text: string, from: number): number | undefined {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : undefined
}

function endOfDollarQuote(text: string, from: number, tagEnd: number): number | undefined {
  const tag = text.slice(from, tagEnd)
  const close = text.indexOf(tag, tagEnd)
  return close < 0 ? undefined : close + tag.length
}

/** Comments in this style nest. */
function endOfComment(text: string, from: number, atEnd: boolean): number | undefined {
  const marks = /\/\*|\*\//g
  marks.lastIndex = from
  let depth = 0
  for (let found = marks.exec(text); found; found = marks.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return atEnd ? text.length : undefined
}

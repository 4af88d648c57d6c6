import { tokensOf } from './tokens.js'

/**
 * A definition in a form that survives a restore. PostgreSQL writes some things differently once they have been
 * written out and read again:
 * - `(ARRAY['a'::varchar, 'b'::varchar])::text[]`, which is what `v IN ('a', 'b')` becomes, comes back as
 *   `ARRAY[('a'::varchar)::text, ('b'::varchar)::text]`;
 * - a table that was made to inherit later has its columns in another order than one that inherits from the start;
 * - servers since the releases of November 2026 count versions of columns, and a pg_dump that is older than they writes
 *   that count, which is another in every database, as if it were an option of the column.
 *
 * Not for running: only for comparing.
 *
 * @see transformTypeCast in PostgreSQL's src/backend/parser/parse_expr.c
 */
export function settledSql(sql: string): string {
  const text = withoutComments(withoutColumnVersions(sql))
  if (/\bARRAY\[/.test(text)) return settleArrays(tokensOf(text)).join(' ')
  return /^CREATE (UNLOGGED )?TABLE .*\nINHERITS \(/s.test(text) ? sortColumns(text) : text
}

function withoutColumnVersions(sql: string): string {
  if (!sql.includes('pg_attver=')) return sql
  return sql
    .replace(/^ALTER (?:(?!;\n).)*? SET \(pg_attver=\d+\);\n?/gms, '') // names may hold line feeds
    .replace(/(?<=\()pg_attver=\d+, |, pg_attver=\d+/g, '')
}

/** Lines that pg_dump writes for people, such as why a schema is not made. */
function withoutComments(sql: string): string {
  return sql.startsWith('-- ') ? sql.replace(/^(?:-- [^\n]*\n|\s)+/, '') : sql.trim()
}

function sortColumns(table: string): string {
  return table
    .split('\n')
    .map((line) => line.replace(/,$/, ''))
    .sort()
    .join('\n')
}

/** Gives every element of `(ARRAY[…])::type[]` the cast that stands behind the whole. */
function settleArrays(tokens: readonly string[]): readonly string[] {
  const settled: string[] = []
  for (let at = 0; at < tokens.length; at++) {
    const cast = castOfArray(tokens, at)
    if (cast) {
      settled.push('ARRAY', '[')
      for (const [index, element] of cast.elements.entries()) {
        settled.push(...(index > 0 ? [','] : []), '(', ...settleArrays(element), ')', ':', ':', ...cast.type)
      }
      settled.push(']')
      at = cast.end - 1
    } else {
      settled.push(tokens[at] ?? '')
    }
  }
  return settled
}

interface CastOfArray {
  readonly elements: readonly (readonly string[])[]
  readonly type: readonly string[]
  /** Index of the token after it. */
  readonly end: number
}

/** `( ARRAY [ … ] ) : : type [ ]` at `start`, if it is there. */
function castOfArray(tokens: readonly string[], start: number): CastOfArray | undefined {
  if (tokens[start] !== '(' || tokens[start + 1] !== 'ARRAY' || tokens[start + 2] !== '[') return undefined
  const elements: string[][] = [[]]
  let at = start + 3
  for (let depth = 1; ; at++) {
    const token = tokens[at]
    if (token === undefined) return undefined
    if (token === '[' || token === '(') depth++
    if (token === ']' || token === ')') depth--
    if (depth === 0) break
    if (token === ',' && depth === 1) elements.push([])
    else elements.at(-1)?.push(token)
  }
  if (tokens.slice(at, at + 4).join('') !== '])::') return undefined
  const from = at + 4
  const bracket = tokens.indexOf('[', from)
  const type = tokens.slice(from, bracket)
  const isType =
    bracket > from && tokens[bracket + 1] === ']' && type.every((token) => /^["\w.(),\u0080-\uffff]/.test(token))
  return isType ? { elements, type, end: bracket + 2 } : undefined
}

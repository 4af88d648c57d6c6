import { nameOf, tokensOf } from './tokens.js'

/** How the rows of an archive end. No row reads like this: a backslash of its own would be doubled. */
export const endOfRows = '\\.'

/** The columns of `COPY schema.table (a, "b c") FROM stdin;`, in order; none for a table without columns. */
export function columnsOfCopy(statement: string): readonly string[] {
  const tokens = tokensOf(statement)
  const open = tokens.indexOf('(')
  const close = tokens.lastIndexOf(')')
  if (open < 0 || close < open) return []
  return tokens
    .slice(open + 1, close)
    .filter((token) => token !== ',')
    .map(nameOf)
}

import { stripVTControlCharacters } from 'node:util'

/** A column of a {@link table}. */
export interface Column<Row> {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Whether the column may be cut when the table is too wide; the longest is cut first. */
  readonly shrinks?: boolean
  cell(row: Row): string
}

const gap = '  '
const leastWidth = 8

/**
 * Rows in columns, each as wide as its content, without lines around them.
 *
 * @param width - Most characters of a line; columns that shrink are cut to fit. Default: no limit.
 */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number = Number.POSITIVE_INFINITY,
  paintTitle: (title: string) => string = (title) => title,
): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)))
  const widths = fit(columns, [columns.map(({ title }) => title), ...cells], width)
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => pad(cut(text, widths[index] ?? 0), widths[index] ?? 0, columns[index]?.align))
      .join(gap)
      .trimEnd()
  const title = paintTitle(line(columns.map((column) => column.title)))
  return [title, ...cells.map(line)].join('\n')
}

/** Characters that a text takes on a line. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length
}

function fit(columns: readonly Column<never>[], lines: readonly (readonly string[])[], width: number): number[] {
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index] ?? ''))))
  let excess = widths.reduce((sum, each) => sum + each, gap.length * (columns.length - 1)) - width
  while (excess > 0) {
    const longest = longestThatShrinks(columns, widths)
    if (longest === undefined) break
    widths[longest] = (widths[longest] ?? 0) - 1
    excess--
  }
  return widths
}

function longestThatShrinks(columns: readonly Column<never>[], widths: readonly number[]): number | undefined {
  let longest: number | undefined
  for (const [index, { shrinks }] of columns.entries()) {
    const own = widths[index] ?? 0
    if (shrinks && own > leastWidth && own > (longest === undefined ? 0 : (widths[longest] ?? 0))) longest = index
  }
  return longest
}

/** Colours are lost where a text is cut: half a sequence would colour the rest of the screen. */
function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  return `${[...stripVTControlCharacters(text)].slice(0, Math.max(0, width - 1)).join('')}…`
}

function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'right' ? space + text : text + space
}

import type { TableComparison } from './compare.ts'

/** Does one step, and prints its name, what came of it and how long it took. */
export async function step<Result>(
  name: string,
  work: () => Promise<Result>,
  describe: (result: Result) => string,
): Promise<Result> {
  const started = performance.now()
  const result = await work()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`✓ ${name}: ${describe(result)} (${seconds} s)`)
  return result
}

/** Prints text with an empty line around it. */
export function paragraph(text: string): void {
  console.log(`\n${text}\n`)
}

/** The comparison as a table of text. */
export function tableOf(comparisons: readonly TableComparison[]): string {
  const rows = comparisons.map(({ table, source, restored, equal }) => [
    table,
    rowsOf(source?.rows),
    rowsOf(restored?.rows),
    equal ? 'equal' : 'DIFFERENT',
  ])
  const all = [['table', 'rows', 'restored', 'every row'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 1 || column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
  return all.map((row) => `    ${line(row).trimEnd()}`).join('\n')
}

/** For example `12.4 MiB`. */
export function formatMebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

function rowsOf(rows: number | undefined): string {
  return rows === undefined ? 'absent' : rows.toLocaleString('en')
}

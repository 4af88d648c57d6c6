import type { Difference } from './test-restore-result.js'

type Rows = AsyncIterable<Uint8Array>

const tab = 0x09

/**
 * Finds the first row in which two tables differ, both in the order of their dumps.
 *
 * @param columns - What the values of a row are called, where rows tell them apart by tabs.
 * @returns Its number from 1, and the first column that differs. No values: they may be secret.
 */
export async function firstDifference(
  dumped: Rows,
  restored: Rows,
  columns: readonly string[],
): Promise<Omit<Difference, 'section'>> {
  const [before, after] = [dumped[Symbol.asyncIterator](), restored[Symbol.asyncIterator]()]
  try {
    for (let row = 1; ; row++) {
      const [a, b] = await Promise.all([before.next(), after.next()])
      if (a.done && b.done) return { problem: 'its rows differ' }
      if (b.done) return { problem: `row ${row} is missing in the restored database`, row }
      if (a.done) return { problem: `row ${row} is in the restored database alone`, row }
      if (Buffer.compare(a.value, b.value) === 0) continue
      const column = columns[firstColumn(a.value, b.value)]
      const where = column === undefined ? '' : ` in column ${column}`
      return { problem: `row ${row} differs${where}`, row, ...(column !== undefined && { column }) }
    }
  } finally {
    await Promise.allSettled([before.return?.(), after.return?.()])
  }
}

/** The index of the value that holds the first byte that differs. */
function firstColumn(a: Uint8Array, b: Uint8Array): number {
  let column = 0
  for (let at = 0; a[at] === b[at] && at < a.length; at++) if (a[at] === tab) column++
  return column
}

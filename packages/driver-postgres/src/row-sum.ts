import { createHash, hash } from 'node:crypto'
import { endOfRows } from './copy-statement.js'

/** A fingerprint of rows, whatever their order. */
export interface RowSum {
  update(bytes: Uint8Array): void
  digest(): string
}

const lanes = 4

/**
 * Sums up the SHA-256 of every row. Unlike an exclusive or, a sum tells two equal rows from none.
 *
 * @param columns - Of the rows, which are read as if their columns stood in the order of their names.
 */
export function createRowSum(columns: readonly string[]): RowSum {
  const order = columns.map((_, index) => index).sort((a, b) => compare(columns[a] ?? '', columns[b] ?? ''))
  const inOrder = order.every((from, to) => from === to)
  const sums = new BigUint64Array(lanes)
  let count = 0
  let cut: Buffer = Buffer.alloc(0)
  let isOver = false

  const add = (row: Buffer): void => {
    isOver ||= row.length === endOfRows.length && row.toString('latin1') === endOfRows
    if (isOver) return
    const digest = hash('sha256', inOrder ? row : reordered(row, order), 'buffer')
    for (let lane = 0; lane < lanes; lane++) sums[lane] = (sums[lane] ?? 0n) + digest.readBigUInt64LE(lane * 8) // modulo 2^64
    count++
  }

  return {
    update(chunk) {
      const bytes = Buffer.concat([cut, chunk])
      let from = 0
      for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
        add(bytes.subarray(from, end))
        from = end + 1
      }
      cut = bytes.subarray(from)
    },
    digest: () =>
      createHash('sha256')
        .update(JSON.stringify([columns.toSorted(compare), count, ...sums].map(String)))
        .digest('hex'),
  }
}

function reordered(row: Buffer, order: readonly number[]): string {
  const values = row.toString('latin1').split('\t')
  return order.map((index) => values[index]).join('\t')
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

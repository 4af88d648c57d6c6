import { describe, expect, it } from 'vitest'
import { streamOf } from '../../byte-stream.js'
import { firstDifference } from './first-difference.js'

const rows = (...lines: string[]): ReturnType<typeof streamOf> => streamOf(...lines.map((line) => Buffer.from(line)))

describe('firstDifference', () => {
  it('names the row, and the column where there is a name for it', async () => {
    const [before, after] = [
      ['1\ta', '2\tb\tx'],
      ['1\ta', '2\tb\ty'],
    ] as const
    expect(await firstDifference(rows(...before), rows(...after), ['id', 'name', 'note'])).toEqual({
      problem: 'row 2 differs in column note',
      row: 2,
      column: 'note',
    })
    expect(await firstDifference(rows(...before), rows(...after), ['whole row'])).toEqual({
      problem: 'row 2 differs',
      row: 2,
    })
  })

  it('says of rows that are alike after all no more than that they were not', async () => {
    expect(await firstDifference(rows('1'), rows('1'), ['id'])).toEqual({ problem: 'its rows differ' })
  })
})

import { describe, expect, it } from 'vitest'
import { terminalPaint } from './colours.js'
import { table, widthOf } from './table.js'

interface Row {
  readonly name: string
  readonly size: number
}

const columns = [
  { title: 'NAME', cell: (row: Row) => row.name, shrinks: true },
  { title: 'SIZE', cell: (row: Row) => String(row.size), align: 'right' as const },
]

describe('table', () => {
  it('aligns columns by their content', () => {
    const rows = [
      { name: 'a', size: 1 },
      { name: 'longer', size: 12345 },
    ]
    expect(table(columns, rows)).toBe('NAME     SIZE\na           1\nlonger  12345')
  })

  it('prints its titles without rows', () => {
    expect(table(columns, [])).toBe('NAME  SIZE')
  })

  it('cuts what may be cut, down to eight characters, so that lines fit', () => {
    const rows = [{ name: 'a-very-long-name-indeed', size: 123 }]
    const lines = table(columns, rows, 20).split('\n')
    expect(lines).toEqual(['NAME            SIZE', 'a-very-long-n…   123'])
    expect(table(columns, rows, 5).split('\n')[1]).toBe('a-very-…   123')
  })

  it('counts characters, not escape sequences', () => {
    const painted = [{ title: 'NAME', cell: (row: Row) => terminalPaint.good(row.name) }, columns[1] ?? columns[0]]
    const [, line = ''] = table(painted as typeof columns, [{ name: 'ok', size: 7 }]).split('\n')
    expect(widthOf(line)).toBe('ok       7'.length)
    expect(widthOf(terminalPaint.bad('żółw 🐢'))).toBe(6)
  })
})

import { describe, expect, it } from 'vitest'
import type { InventoryTable } from '../../layout/manifest.js'
import { compareInventory } from './compare-inventory.js'

const compare = (taken: InventoryTable, restored: readonly InventoryTable[]): readonly object[] => {
  const about = { level: 'checksums', exact: true } as const
  return compareInventory({ ...about, tables: [taken] }, { ...about, tables: restored })
}

describe('compareInventory', () => {
  it.each<[string, InventoryTable, InventoryTable[], string | undefined]>([
    ['the same', { name: 't', rows: 2, checksum: 'a' }, [{ name: 't', rows: 2, checksum: 'a' }], undefined],
    [
      'nothing of a table more',
      { name: 't', rows: 2 },
      [
        { name: 't', rows: 2 },
        { name: 'u', rows: 9 },
      ],
      undefined,
    ],
    ['a table that is gone', { name: 't', rows: 1 }, [], 'the table is not there; 1 row at the backup'],
    ['fewer rows', { name: 't', rows: 3 }, [{ name: 't', rows: 1 }], '1 row now; 3 rows at the backup'],
    ['other rows', { name: 't', rows: 1, checksum: 'a' }, [{ name: 't', rows: 1, checksum: 'b' }], 'the checksum'],
    ['no checksum at the backup', { name: 't', rows: 1 }, [{ name: 't', rows: 1, checksum: 'b' }], undefined],
    ['no checksum now', { name: 't', rows: 1, checksum: 'a' }, [{ name: 't', rows: 1 }], undefined],
  ])('finds %s', (_, taken, restored, problem) => {
    const expected = problem === undefined ? [] : [{ section: 'rows of t', problem: expect.stringContaining(problem) }]
    expect(compare(taken, restored)).toEqual(expected)
  })

  it('does not take a table of one schema for that of another', () => {
    expect(compare({ schema: 'a', name: 't', rows: 1 }, [{ schema: 'b', name: 't', rows: 1 }])).toMatchObject([
      { section: 'rows of a.t' },
    ])
  })
})

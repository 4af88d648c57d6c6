import { isBackupError } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { entryOf } from '../test/entries.js'
import { selectMissing } from './append-selection.js'
import { objectKey } from './entry-kinds.js'
import { selectTables } from './table-selection.js'

const entries = [
  entryOf(1, 'ENCODING', 'ENCODING', { schema: undefined }),
  entryOf(2, 'SCHEMA', 'sales', { schema: undefined }),
  entryOf(3, 'TYPE', 'mood'),
  entryOf(4, 'FUNCTION', 'touch()'),
  entryOf(10, 'TABLE', 'users', { dependencies: [3] }),
  entryOf(11, 'TABLE', 'orders', { schema: 'sales', dependencies: [2] }),
  entryOf(12, 'SEQUENCE', 'orders_id_seq', { schema: 'sales', dependencies: [2] }),
  entryOf(13, 'SEQUENCE OWNED BY', 'orders_id_seq', { schema: 'sales', dependencies: [12, 11] }),
  entryOf(14, 'DEFAULT', 'orders id', {
    schema: 'sales',
    dependencies: [12, 11],
    definition: "… nextval('sales.orders_id_seq')",
  }),
  entryOf(15, 'VIEW', 'order_users', { dependencies: [10, 11] }),
  entryOf(20, 'TABLE DATA', 'users', { dependencies: [10], hasData: true }),
  entryOf(21, 'TABLE DATA', 'orders', { schema: 'sales', dependencies: [11], hasData: true }),
  entryOf(22, 'SEQUENCE SET', 'orders_id_seq', { schema: 'sales', dependencies: [12] }),
  entryOf(30, 'CONSTRAINT', 'users users_pkey', { dependencies: [10] }),
  entryOf(31, 'FK CONSTRAINT', 'orders orders_user_fkey', { schema: 'sales', dependencies: [11, 10, 30] }),
  entryOf(32, 'TRIGGER', 'orders touched', { schema: 'sales', dependencies: [11, 4] }),
  entryOf(33, 'COMMENT', 'TABLE orders', { schema: 'sales', dependencies: [11] }),
  entryOf(34, 'ACL', 'SCHEMA sales', { schema: undefined, dependencies: [2] }),
  entryOf(35, 'INDEX', 'users_name', { dependencies: [10] }),
]
const ids = (chosen: readonly { id: number }[]): number[] => chosen.map(({ id }) => id)

describe('selectTables', () => {
  it('takes what belongs to a table, and apart from that what it needs', () => {
    const { owned, needed, warnings } = selectTables(entries, ['sales.orders', 'users'], new Set())
    expect(ids(owned)).toEqual([10, 11, 12, 13, 14, 20, 21, 22, 30, 31, 32, 33, 35])
    expect(ids(needed)).toEqual([1, 2, 3, 4, 34])
    expect(warnings).toEqual([])
  })

  it('leaves out a foreign key to what is neither chosen nor there', () => {
    const alone = selectTables(entries, ['orders'], new Set())
    expect(ids(alone.owned)).not.toContain(31)
    expect(alone.warnings).toEqual([expect.stringContaining('needs public.users')])
    const withUsers = selectTables(entries, ['orders'], new Set(entries.slice(4, 5).map(objectKey)))
    expect(ids(withUsers.owned)).toContain(31)
  })

  it('leaves out a foreign key to a table that the dump does not hold, and its comment, unless the target has it', () => {
    const alone = [
      entryOf(1, 'TABLE', 'orders'),
      entryOf(2, 'FK CONSTRAINT', 'orders user', {
        definition: 'ALTER … FOREIGN KEY (u) REFERENCES public.users(id);',
        dependencies: [1],
      }),
      entryOf(3, 'COMMENT', 'CONSTRAINT user ON orders', { dependencies: [2] }),
    ]
    const { owned, warnings } = selectTables(alone, ['orders'], new Set())
    expect([ids(owned), warnings]).toEqual([[1], [expect.stringContaining('needs public.users, neither chosen nor')]])
    const users = objectKey(entryOf(9, 'TABLE', 'users'))
    expect(selectTables(alone, ['orders'], new Set([users]))).toMatchObject({ owned: alone, warnings: [] })
  })

  it('names what the dump does not hold', () => {
    expect(() => selectTables(entries, ['users', 'Users"x', 'sales.users'], new Set())).toThrow(
      expect.objectContaining({ code: 'no-match', message: expect.stringMatching(/"Users\\"x", "sales.users"$/) }),
    )
  })
})

describe('selectMissing', () => {
  it('adds data, and makes what the target lacks', () => {
    const existing = new Set(entries.filter(({ id }) => [2, 11, 12].includes(id)).map(objectKey))
    expect(ids(selectMissing(entries, existing))).toEqual([1, 3, 4, 10, 15, 20, 21, 22, 30, 31, 32, 35])
  })

  it('refuses large objects that are there', () => {
    const blob = entryOf(50, 'BLOB', '16400', { schema: undefined })
    expect(ids(selectMissing([blob], new Set()))).toEqual([50])
    expect(() => selectMissing([blob], new Set([objectKey(blob)]))).toThrow(
      expect.toSatisfy((error) => isBackupError(error, 'restore-refused')),
    )
  })
})

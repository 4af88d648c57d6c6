import { describe, expect, it } from 'vitest'
import { entryOf } from '../test/entries.js'
import type { ArchiveEntry } from './archive.js'
import { sequenceKey, sequenceSetting, withoutSettings } from './sequences.js'

describe('sequenceSetting', () => {
  it.each([
    ["SELECT pg_catalog.setval('public.s', 5, true);\n", 'public', 's', 5n, true],
    [`SELECT pg_catalog.setval('public."odd seq"', 1, false);`, 'public', 'odd seq', 1n, false],
    [
      `SELECT pg_catalog.setval('"😀 sché""ma"."it''s"', -9223372036854775808, true);`,
      '😀 sché"ma',
      "it's",
      -(2n ** 63n),
      true,
    ],
    [`SELECT pg_catalog.setval(E'"back\\\\slash".s', 7, true);`, 'back\\slash', 's', 7n, true],
    [`SELECT pg_catalog.setval('"a.b"."c.d"', 7, true);`, 'a.b', 'c.d', 7n, true],
  ])('reads %s', (sql, schema, name, last, called) => {
    expect(sequenceSetting(sql)).toEqual({ schema, name, last, called })
  })

  it.each(["SELECT pg_catalog.set_config('search_path', '', false);", 'SELECT 1;', 'CREATE SEQUENCE s;'])(
    'is nothing else: %s',
    (sql) => expect(sequenceSetting(sql)).toBeUndefined(),
  )
})

describe('withoutSettings', () => {
  const entry = (id: number, kind: string, tag: string): ArchiveEntry =>
    entryOf(id, kind, tag, { definition: `SELECT pg_catalog.setval('public.${tag}', ${id}, true);\n` })
  const entries = [entry(1, 'SEQUENCE', 'a'), entry(2, 'SEQUENCE SET', 'a'), entry(3, 'SEQUENCE SET', 'b')]
  const existing = new Set([sequenceKey('public', 'a'), sequenceKey('public', 'b')])

  it('takes out what sets sequences that stay', () => {
    const ids = (drops: boolean, of = existing): unknown[] => {
      const { entries: kept, settings } = withoutSettings(entries, of, drops)
      return [kept.map(({ id }) => id), settings.map(({ name, last }) => [name, last])]
    }
    expect(ids(false)).toEqual([
      [1],
      [
        ['a', 2n],
        ['b', 3n],
      ],
    ])
    expect(ids(true)).toEqual([[1, 2], [['b', 3n]]])
    expect(ids(false, new Set())).toEqual([[1, 2, 3], []])
  })
})

import { describe, expect, it } from 'vitest'
import { entryOf } from '../test/entries.js'
import { keysToOthers, without } from './foreign-keys.js'

const key = (id: number, definition: string) => entryOf(id, 'FK CONSTRAINT', `orders key_${id}`, { definition })
const add = (name: string, columns: string, to: string): string =>
  `ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT ${name} FOREIGN KEY (${columns}) REFERENCES ${to} ON DELETE CASCADE;\n`

describe('foreign keys to tables that an archive does not hold', () => {
  const users = entryOf(1, 'TABLE', 'users')
  const odd = entryOf(2, 'TABLE', 'Odd "one"', { schema: 'sales' })

  it.each<[string, string, object | undefined]>([
    ['one that is there', add('a', 'b', 'public.users(id)'), undefined],
    ['one that is not', add('a', 'b', 'public.people(id)'), { kind: 'TABLE', schema: 'public', tag: 'people' }],
    ['one of another schema', add('a', 'b', 'sales.users(id)'), { kind: 'TABLE', schema: 'sales', tag: 'users' }],
    ['in quotes, and there', add('a', 'b', 'sales."Odd ""one"""("Id")'), undefined],
    ['in quotes', add('a', 'b', '"S.1"."Odd"("Id")'), { kind: 'TABLE', schema: 'S.1', tag: 'Odd' }],
    ['without a schema, as older programs write', add('a', 'b', 'users(id)'), undefined],
    ['behind a column of a deceiving name', add('a', '" REFERENCES x.y("', 'public.users(id)'), undefined],
    ['in a text that is cut', 'ALTER TABLE public.orders ADD CONSTRAINT a FOREIGN KEY (b) REFERENCES', undefined],
    ['in a text that says nothing', '', undefined],
  ])('%s', (_, definition, expected) => {
    const found = keysToOthers([users, odd, key(9, definition)])
    expect([...found.values()]).toEqual(expected === undefined ? [] : [expected])
  })

  it('are none in a dump of a whole database: an extension makes the table', () => {
    const postgis = entryOf(3, 'EXTENSION', 'postgis')
    expect(keysToOthers([postgis, users, key(9, add('a', 'b', 'public.spatial_ref_sys(srid)'))]).size).toBe(0)
  })

  it('are left out with their comments', () => {
    const [first, second] = [key(8, add('a', 'b', 'public.people(id)')), key(9, add('c', 'd', 'public.users(id)'))]
    const comments = [8, 9].map((on) => entryOf(on + 10, 'COMMENT', 'CONSTRAINT', { dependencies: [on] }))
    const entries = [users, first, second, ...comments]
    expect(without(keysToOthers(entries).keys(), entries).map(({ id }) => id)).toEqual([1, 9, 19])
  })
})

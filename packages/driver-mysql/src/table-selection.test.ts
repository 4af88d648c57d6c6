import { describe, expect, it } from 'vitest'
import type { TableInfo } from './schema-objects.js'
import { chooseTables } from './table-selection.js'

const there: readonly TableInfo[] = ['orders', 'log_a', 'log_b', 'log_*', 'a+b', 'shop.orders'].map((name) => ({
  name,
  kind: 'table',
  engine: 'InnoDB',
  transactional: true,
  versioned: false,
  bytes: 0,
  dataBytes: 0,
}))
const choose = (tables?: readonly string[], excludeTables?: readonly string[]) =>
  chooseTables({ ...(tables && { tables }), ...(excludeTables && { excludeTables }) }, 'shop', there)

describe('chooseTables', () => {
  it.each([
    [['orders'], ['orders']],
    [['log_?'], ['log_a', 'log_b', 'log_*']],
    [['log_*'], ['log_*']], // the name itself, where there is one
    [['a+b'], ['a+b']],
    [['shop.log_a'], ['log_a']],
    [['shop.orders'], ['shop.orders']],
    [['*'], there.map(({ name }) => name)],
  ])('takes of %j: %j', (tables, only) => expect(choose(tables)).toEqual({ only, excluded: [], warnings: [] }))

  it('leaves out what is excluded, and warns of an exclusion of nothing', () => {
    expect(choose(undefined, ['log_?', 'nobody'])).toEqual({
      only: undefined,
      excluded: ['log_a', 'log_b', 'log_*'],
      warnings: ['The exclusion "nobody" matches no table'],
    })
    expect(choose(['log_?'], ['log_b']).only).toEqual(['log_a', 'log_*'])
  })

  it('refuses what chooses nothing', () => {
    expect(() => choose(['nobody'])).toThrow(expect.objectContaining({ code: 'no-match' }))
    expect(() => choose(['ordres'])).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/^Near to it: orders/) }),
    )
    expect(() => choose(['orders'], ['orders'])).toThrow(expect.objectContaining({ code: 'no-match' }))
  })
})

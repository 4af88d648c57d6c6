import { describe, expect, it } from 'vitest'
import { exactPattern, parsePattern } from './patterns.js'

describe('parsePattern', () => {
  it.each([
    ['Orders', { name: '^(orders)$' }],
    ['sales.*', { schema: '^(sales)$', name: '^(.*)$' }],
    ['"Sales"."a.b*"', { schema: '^(Sales)$', name: '^(a\\.b\\*)$' }],
    ['a?c', { name: '^(a.c)$' }],
    ['"with ""quotes"""', { name: '^(with "quotes")$' }],
    ['a$b', { name: '^(a\\$b)$' }],
    ['(a|b)', { name: '^((a|b))$' }],
    ['db.s.t', { schema: '^(s)$', name: '^(t)$' }],
  ])('reads %s', (pattern, expected) => {
    expect(parsePattern(pattern)).toEqual(expected)
  })

  it.each(['plain', 'UPPER', 'a.b', 'q"q', '*?', '$x', '[a]|b\\'])(
    'an exact pattern matches %s and nothing else',
    (name) => {
      const { name: expression, schema } = parsePattern(exactPattern('s.x', name))
      expect(new RegExp(expression, 's').test(name)).toBe(true)
      expect(new RegExp(expression, 's').test(`${name}x`)).toBe(false)
      expect(schema).toBe('^(s\\.x)$')
      expect(parsePattern(exactPattern(undefined, name)).schema).toBeUndefined()
    },
  )
})

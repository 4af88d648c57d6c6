import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quoteConnectionValue, quoteIdentifier, quoteLiteral, quoteQualified } from './quoting.js'

const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'))

describe('quoting', () => {
  it('ends an identifier nowhere but at its end', () => {
    fc.assert(
      fc.property(text, (name) => {
        const quoted = quoteIdentifier(name)
        expect(/^"(?:[^"]|"")*"$/.test(quoted)).toBe(true)
        expect(quoted.slice(1, -1).replaceAll('""', '"')).toBe(name)
      }),
    )
  })

  it('ends a literal nowhere but at its end, whatever backslashes mean', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(quoteLiteral(value)).toMatch(/^(?:'(?:[^'\\]|'')*'| E'(?:[^'\\]|''|\\\\)*')$/)
      }),
    )
  })

  it('ends a value of a connection string nowhere but at its end', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(quoteConnectionValue(value)).toMatch(/^'(?:[^'\\]|\\\\|\\')*'$/)
      }),
    )
  })

  it('qualifies a name', () => {
    expect(quoteQualified('a"b', 'c.d')).toBe('"a""b"."c.d"')
    expect(quoteQualified(undefined, 'x')).toBe('"x"')
  })

  it.each([quoteIdentifier, quoteLiteral, quoteConnectionValue])('refuses a NUL', (quote) => {
    expect(() => quote('a\0b')).toThrow(RangeError)
  })
})

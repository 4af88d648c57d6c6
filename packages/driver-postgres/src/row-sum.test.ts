import { describe, expect, it } from 'vitest'
import { createRowSum } from './row-sum.js'

function sumOf(text: string, columns: readonly string[] = ['a', 'b'], chunkSize = 1000): string {
  const sum = createRowSum(columns)
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += chunkSize) sum.update(bytes.subarray(at, at + chunkSize))
  return sum.digest()
}

describe('createRowSum', () => {
  it('is the same for the same rows in another order, however they are cut', () => {
    for (const size of [1, 2, 3, 1000])
      expect(sumOf('1\tx\n2\ty\n3\tz\n', ['a', 'b'], size)).toBe(sumOf('3\tz\n1\tx\n2\ty\n'))
  })

  it('is the same for the same columns in another order', () => {
    expect(sumOf('1\tx\n2\ty\n', ['a', 'b'])).toBe(sumOf('y\t2\nx\t1\n', ['b', 'a']))
  })

  it('takes no notice of how an archive ends its rows', () => {
    expect(sumOf('1\tx\n\\.\n\n\n')).toBe(sumOf('1\tx\n'))
  })

  it.each([
    ['1\tx\n', '1\ty\n'],
    ['1\tx\n', '1\tx\n1\tx\n'],
    ['1\tx\n1\tx\n', '2\ty\n2\ty\n'],
    ['1\tx\n2\ty\n', '1\ty\n2\tx\n'],
    ['', '\n'],
  ])('tells %j from %j', (one, other) => {
    expect(sumOf(one)).not.toBe(sumOf(other))
  })
})

import { expect, it } from 'vitest'
import { firstOf } from './first-of.js'

it('names as many as are wanted, and counts the others', () => {
  expect(firstOf(['a', 'b', 'c'], 3)).toBe('a, b, c')
  expect(firstOf(['a', 'b', 'c'], 1)).toBe('a and 2 more')
  expect(firstOf([])).toBe('')
})

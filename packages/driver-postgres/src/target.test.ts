import { expect, it } from 'vitest'
import { nameBeside } from './target.js'

it.each([
  ['shop', 'shop__holdfast_1234'],
  ['x'.repeat(63), `${'x'.repeat(48)}__holdfast_1234`],
  ['😀'.repeat(15), `${'😀'.repeat(12)}__holdfast_1234`],
])('nameBeside %s', (base, expected) => {
  const name = nameBeside(base, '__holdfast_1234')
  expect(name).toBe(expected)
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
})

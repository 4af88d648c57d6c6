import { expect, it } from 'vitest'
import { visible } from './visible.js'

it.each([
  ['orders', 'orders'],
  ['Größe 漢字 😀', 'Größe 漢字 😀'],
  ['a\nb\r\nc\td', 'a\\nb\\r\\nc\\td'],
  ['\u001b[31mred', '\\u001b[31mred'],
  ['a\u0085b\u2028c\u2029d', 'a\\u0085b\\u2028c\\u2029d'],
  ['exe.\u202etxt', 'exe.\\u202etxt'],
])('spells out what steers: %j', (text, expected) => {
  expect(visible(text)).toBe(expected)
})

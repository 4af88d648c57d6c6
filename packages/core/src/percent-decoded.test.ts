import { expect, it } from 'vitest'
import { percentDecoded } from './percent-decoded.js'

it.each([
  ['plain', 'plain'],
  ['', ''],
  ['p%40ss%2Fw%C3%B6rd', 'p@ss/wörd'],
  ['100%', undefined],
  ['%C3', undefined],
  ['a%00b', undefined],
])('%j stands for %j', (text, decoded) => {
  expect(percentDecoded(text)).toBe(decoded)
})

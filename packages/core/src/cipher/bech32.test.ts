import { describe, expect, it } from 'vitest'
import { isBech32 } from './bech32.js'

/** Of BIP 173. */
const valid = 'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw'

describe('isBech32', () => {
  it.each([valid, valid.toUpperCase(), 'a12uel5l'])('%s', (text) => {
    expect(isBech32(text)).toBe(true)
  })

  it.each([
    ['a letter changed', valid.replace('qp', 'qz')],
    ['two letters exchanged', valid.replace('qpz', 'pqz')],
    ['cases mixed', valid.replace('qp', 'QP')],
    ['a character that is none of its own', valid.replace('qp', 'bi')],
    ['nothing before its separator', '10a06t8'],
    ['no separator', 'abcdef'],
    ['a checksum that is too short', 'a1lqf'],
  ])('not with %s', (_, text) => {
    expect(isBech32(text)).toBe(false)
  })
})

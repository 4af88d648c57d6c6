import { expect, it } from 'vitest'
import { asideName, readAsideName } from './aside-names.js'

const at = new Date('2026-03-01T12:00:00.700Z')
const free = (): boolean => false

it.each([
  ['shop', 'shop__holdfast_69a42a40'],
  ['x'.repeat(63), `${'x'.repeat(44)}__holdfast_69a42a40`],
  ['😀'.repeat(15), `${'😀'.repeat(11)}__holdfast_69a42a40`],
])('names a scratch of %s within the bytes of a name', (database, expected) => {
  const name = asideName(database, 'unfinished', at, 63, free)
  expect(name).toBe(expected)
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
  expect(readAsideName(name, database, 63)).toEqual({ kind: 'unfinished', since: new Date('2026-03-01T12:00:00Z') })
})

it('counts as the server does', () => {
  const characters = (name: string): number => [...name].length
  const name = asideName('😀'.repeat(64), 'replaced', at, 64, free, characters)
  expect(name).toBe(`${'😀'.repeat(47)}__before_69a42a40`)
  expect(readAsideName(name, '😀'.repeat(64), 64, characters)?.kind).toBe('replaced')
  expect(readAsideName(name, '😀'.repeat(64), 64)).toBeUndefined()
})

it('takes the next id that is free', () => {
  const taken = new Set(['shop__before_69a42a40', 'shop__before_69a42a41'])
  expect(asideName('shop', 'replaced', at, 63, (name) => taken.has(name))).toBe('shop__before_69a42a42')
})

it.each([
  'shop',
  'shop__before_',
  'shop__before_69a42a4',
  'shop__before_69A42A40',
  'shop2__before_69a42a40',
  'shop__after_69a42a40',
])('reads nothing out of %s', (name) => expect(readAsideName(name, 'shop', 63)).toBeUndefined())

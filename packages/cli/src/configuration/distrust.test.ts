import { constants } from 'node:fs'
import { expect, it } from 'vitest'
import { distrust } from './distrust.js'

const file = (uid: number, mode = 0o644) => ({ uid, mode: constants.S_IFREG | mode })
const link = (uid: number) => ({ uid, mode: constants.S_IFLNK | 0o777 })

it.each([
  ['a file of this user', [file(1000), file(1000)]],
  ["root's", [file(0), file(0)]],
  ['what the group may write to', [file(1000, 0o664)]],
  ['a link, to which everybody may write by its mode', [link(1000), file(0)]],
])('nothing speaks against %s', (_, seen) => {
  expect(distrust(seen, [1000, 0])).toBeUndefined()
})

it.each([
  ['a file of another user', [file(1001), file(1001)], 'it is of another user (1001)'],
  ['a link of another user, wherever it leads', [link(1001), file(1000)], 'it is of another user (1001)'],
  ['a link to a file of another user', [link(1000), file(1001)], 'it is of another user (1001)'],
  ['what everybody may write to', [file(1000, 0o666)], 'everybody may write to it'],
])('%s is not run', (_, seen, reason) => {
  expect(distrust(seen, [1000, 0])).toBe(reason)
})

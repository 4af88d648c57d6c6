import type { BackupRecord } from '@holdfast/core'
import { expect, it } from 'vitest'
import { visible, visibleBackup } from './visible.js'

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

it("leaves nothing of a backup that could steer: its manifest may be anybody's", () => {
  const evil = 'x\u001b[2J\n'
  const cipher = { id: evil, keyIds: [evil] }
  const manifest = {
    ...{ engine: evil, serverVersion: evil, holdfast: evil, recover: evil, tools: {}, options: {} },
    parts: [
      { name: 'dump', codec: evil, cipher },
      { name: 'globals.sql', codec: 'none' },
    ],
  }
  const backup = { job: evil, database: evil, engine: evil, label: evil, warnings: [evil], copies: [], manifest }
  const shown = visibleBackup(backup as unknown as BackupRecord)
  expect(JSON.stringify(shown)).not.toContain(JSON.stringify(evil).slice(1, -1))
})

import { describe, expect, it } from 'vitest'
import type { BackupRecord } from './backup-record.js'
import { selectBackup } from './select-backup.js'

function backup(id: string, job: string, status: 'complete' | 'corrupt' = 'complete'): BackupRecord {
  return {
    id,
    shortId: id.slice(-8),
    name: `${job}_manual_${id.slice(-8)}`,
    job,
    copies: [{ storage: 'disk', status }],
  } as unknown as BackupRecord
}

const newest = backup('01957a3c-0003-7000-8000-0000aaaa1111', 'shop', 'corrupt')
const middle = backup('01957a3c-0002-7000-8000-0000aaaa2222', 'crm')
const oldest = backup('01957a3c-0001-7000-8000-0000bbbb3333', 'shop')
const all = [newest, middle, oldest]

describe('selectBackup', () => {
  it.each([
    ['latest', middle],
    ['latest~1', oldest],
    ['crm', middle],
    ['shop', oldest],
    ['aaaa1', newest],
    ['BBBB', oldest],
    ['01957a3c-0003', newest],
    ['shop_manual_aaaa1111', newest],
  ])('%s', (selector, expected) => {
    expect(selectBackup(all, selector)).toBe(expected)
  })

  it('never takes a damaged backup for the latest, and says how many there are', () => {
    expect(() => selectBackup([newest], 'latest')).toThrow(
      expect.objectContaining({ code: 'no-match', message: expect.stringContaining('0 whole') }),
    )
    expect(() => selectBackup([newest, middle], 'latest~1')).toThrow('1 whole backup was found')
    expect(() => selectBackup(all, 'latest~2')).toThrow(expect.objectContaining({ code: 'no-match' }))
  })

  it('takes a damaged one for the latest where that is asked for', () => {
    expect(selectBackup(all, 'latest', () => true)).toBe(newest)
  })

  it('refuses to guess', () => {
    expect(() => selectBackup([oldest, { ...oldest }], oldest.id)).toThrow(
      expect.objectContaining({ code: 'ambiguous', hint: expect.stringContaining('Two storages disagree') }),
    )
    expect(() => selectBackup(all, 'aaaa')).toThrow(expect.objectContaining({ code: 'ambiguous' }))
    expect(() => selectBackup(all, 'cccc')).toThrow(expect.objectContaining({ code: 'no-match' }))
  })
})

import { describe, expect, it } from 'vitest'
import type { BackupRecord } from './backup-record.js'
import { passedOver, selectBackup } from './select-backup.js'

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
      expect.objectContaining({
        code: 'no-match',
        message: 'The one backup that was found is not whole',
        hint: expect.stringContaining('holdfast verify'),
      }),
    )
    expect(() => selectBackup([newest, middle], 'shop')).toThrow('The one backup of shop that was found is not whole')
    expect(() => selectBackup([newest, newest], 'latest')).toThrow('None of the 2 backups is whole')
    expect(() => selectBackup([], 'latest')).toThrow('There are no backups yet, or they are elsewhere')
    expect(() => selectBackup([newest, middle], 'latest~1')).toThrow(
      'There is one whole backup only, too few for latest~1',
    )
    expect(() => selectBackup(all, 'latest~2')).toThrow(expect.objectContaining({ code: 'no-match' }))
  })

  it('takes a damaged one for the latest where that is asked for', () => {
    expect(selectBackup(all, 'latest', (backups) => backups)).toBe(newest)
  })

  it('passes over one whose test restore failed, and says so, unless there is no other', () => {
    const tested = (record: BackupRecord, status: string): BackupRecord =>
      ({ ...record, test: { status, testedAt: '2026-03-01T00:00:00Z' } }) as BackupRecord
    for (const status of ['differs', 'failed']) {
      const refuted = tested(middle, status)
      const some = [newest, refuted, { ...oldest, job: 'crm' }]
      for (const selector of ['latest', 'crm']) {
        expect(selectBackup(some, selector)).toBe(some[2])
        expect(passedOver(some, selector, some[2]!)).toContainEqual(expect.stringMatching(/crm_manual_aaaa2222.*2026/))
      }
      expect(passedOver(some, 'latest', some[2]!)[0]).toContain('shop_manual_aaaa1111, which is newer: no copy')
      expect(selectBackup([refuted], 'latest')).toBe(refuted)
      expect(selectBackup(some, 'aaaa2')).toBe(refuted)
      expect(passedOver(some, 'aaaa2', refuted)).toEqual([])
    }
    const asserted = tested(middle, 'assertion-failed')
    expect(selectBackup([asserted, oldest], 'latest')).toBe(asserted)
    expect(passedOver([asserted, oldest], 'latest~1', oldest)).toEqual([])
  })

  it('refuses to guess', () => {
    expect(() => selectBackup([oldest, { ...oldest }], oldest.id)).toThrow(
      expect.objectContaining({ code: 'ambiguous', hint: expect.stringContaining('Two storages disagree') }),
    )
    expect(() => selectBackup(all, 'aaaa')).toThrow(expect.objectContaining({ code: 'ambiguous' }))
    expect(() => selectBackup(all, 'cccc')).toThrow(
      expect.objectContaining({ code: 'no-match', hint: expect.stringContaining('There are backups of: crm, shop.') }),
    )
  })
})

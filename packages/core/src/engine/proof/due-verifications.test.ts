import { describe, expect, it } from 'vitest'
import type { BackupCopy, BackupRecord } from '../backup-record.js'
import { dueVerifications } from './due-verifications.js'

const day = 24 * 3_600_000
const now = new Date('2026-06-01T00:00:00Z')
const ago = (days: number): Date => new Date(now.getTime() - days * day)

function backup(name: string, age: number, copies: readonly (number | undefined)[], tested?: number): BackupRecord {
  return {
    shortId: name,
    job: 'shop',
    startedAt: ago(age),
    copies: copies.map((verified, index): BackupCopy => {
      return {
        storage: `s${index}`,
        status: 'complete',
        isPinned: false,
        ...(verified !== undefined && { verifiedAt: ago(verified) }),
      }
    }),
    ...(tested !== undefined && { test: { testedAt: ago(tested).toISOString() } }),
  } as unknown as BackupRecord
}

function due(backups: readonly BackupRecord[], scrubDays?: number, testDays?: number): string[] {
  const settings = {
    ...(scrubDays !== undefined && { scrubEveryMs: scrubDays * day }),
    ...(testDays !== undefined && { testRestore: { everyMs: testDays * day, assertions: [] } }),
  }
  return dueVerifications(backups, new Map([['shop', settings]]), now).map(
    (each) => `${each.kind} ${each.backup.shortId}`,
  )
}

describe('dueVerifications', () => {
  it('wants every copy to be read, those first that waited longest', () => {
    const backups = [backup('a', 1, [8]), backup('b', 2, [9]), backup('c', 3, [undefined]), backup('d', 4, [2])]
    expect(due(backups, 7)).toEqual(['scrub c', 'scrub b', 'scrub a'])
  })

  it('wants a backup to be read of which one copy was not', () => {
    expect(due([backup('a', 1, [1, undefined]), backup('b', 1, [1, 8]), backup('c', 1, [1, 1])], 7)).toEqual([
      'scrub a',
      'scrub b',
    ])
  })

  it('wants the latest whole backup to be restored, once in a while', () => {
    const broken = { ...backup('x', 0, []), copies: [{ storage: 's', status: 'corrupt' as const, isPinned: false }] }
    expect(due([backup('a', 2, [1]), backup('b', 1, [1]), broken], undefined, 30)).toEqual(['test-restore b'])
    expect(due([backup('a', 40, [1], 35), backup('b', 1, [1])], undefined, 30)).toEqual(['test-restore b'])
    expect(due([backup('a', 40, [1], 20), backup('b', 1, [1])], undefined, 30)).toEqual([])
  })

  it('does not read what it restores', () => {
    expect(due([backup('a', 1, [undefined]), backup('b', 2, [undefined])], 7, 30)).toEqual([
      'test-restore a',
      'scrub b',
    ])
  })

  it('counts a day as over a little early, for those who ask once a day', () => {
    expect(due([backup('a', 1, [0.95])], 1)).toEqual(['scrub a'])
    expect(due([backup('a', 1, [0.85])], 1)).toEqual([])
  })

  it('leaves other jobs, and jobs that ask for nothing, alone', () => {
    expect(due([{ ...backup('a', 1, [undefined]), job: 'other' }], 7, 7)).toEqual([])
    expect(due([backup('a', 1, [undefined])])).toEqual([])
  })
})

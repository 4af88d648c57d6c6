import { describe, expect, it } from 'vitest'
import { allOf, anyOf } from './combine.js'
import { everything } from './everything.js'
import { keep } from './keep.js'
import { maxAge } from './max-age.js'
import { maxTotalSize } from './max-total-size.js'
import { parseRetention } from './parse-retention.js'
import type { RetainableBackup, RetentionStrategy } from './retention-strategy.js'

const now = new Date('2026-11-21T12:00:00Z')
const dayMs = 86_400_000

/** One backup a day of 10 bytes, the newest of this noon. */
const daily: readonly RetainableBackup[] = Array.from({ length: 5 }, (_, age) => ({
  id: `${age} days old`,
  type: 'daily',
  startedAt: new Date(now.getTime() - age * dayMs),
  storedBytes: 10,
}))

function kept(strategy: RetentionStrategy): string[] {
  return strategy.decide(daily, now).flatMap(({ id, keep }) => (keep ? [id[0] ?? ''] : []))
}

describe('maxAge', () => {
  it('keeps what is no older, by the clock of today', () => {
    expect(kept(maxAge('2d'))).toEqual(['0', '1', '2'])
    expect(maxAge('2d').decide(daily, now).at(-1)).toEqual({
      id: '4 days old',
      keep: false,
      reasons: ['older than 2d'],
    })
    expect(() => maxAge('2 days' as '2d')).toThrow('The age of maxAge is "2 days"')
  })
})

describe('maxTotalSize', () => {
  it('keeps the newest that fit together', () => {
    expect(kept(maxTotalSize(29))).toEqual(['0', '1'])
    expect(kept(maxTotalSize('30B'))).toEqual(['0', '1', '2'])
    expect(kept(maxTotalSize('1 KiB'))).toHaveLength(5)
  })

  it('does not keep an older one because it is small', () => {
    const sizes = [10, 50, 1]
    const backups = daily.slice(0, 3).map((backup, index) => ({ ...backup, storedBytes: sizes[index] ?? 0 }))
    expect(
      maxTotalSize(20)
        .decide(backups, now)
        .map((decision) => decision.keep),
    ).toEqual([true, false, false])
  })

  it.each([0, -5, '50', '50 gigs', 'GiB', Number.NaN])('refuses %j', (size) => {
    expect(() => maxTotalSize(size)).toThrow('The size of maxTotalSize is')
  })
})

describe('everything', () => {
  it('keeps everything', () => {
    expect(kept(everything())).toHaveLength(5)
  })
})

describe('combinations', () => {
  const [two, three] = [keep({ last: 2, timeZone: 'UTC' }), maxAge('2d')]

  it('keep what any, or what all of them keep', () => {
    expect(kept(anyOf(two, three))).toEqual(['0', '1', '2'])
    expect(kept(allOf(two, three))).toEqual(['0', '1'])
  })

  it('say why with the words of those who decided it', () => {
    const [, , third] = anyOf(two, three).decide(daily, now)
    expect(third).toEqual({ id: '2 days old', keep: true, reasons: ['no older than 2d'] })
    expect(allOf(two, three).decide(daily, now)[2]?.reasons).toEqual(['beyond last 2'])
    expect(anyOf(two, three).name).toBe('(last 2) or (no older than 2d)')
  })

  it('keep what one of them says nothing of, and refuse to be of nothing', () => {
    const silent: RetentionStrategy = { name: 'silent', decide: () => [] }
    expect(kept(allOf(silent))).toHaveLength(5)
    expect(() => anyOf()).toThrow('A retention of no strategies says nothing')
  })
})

describe('parseRetention', () => {
  it('reads tiers and the last ones', () => {
    expect(parseRetention('24h, 7d,4w,12m,0y').name).toBe('24 hourly, 7 daily, 4 weekly, 12 monthly')
    expect(parseRetention('last=5,7d').name).toBe('last 5, 7 daily')
  })

  it.each(['', '7', '7x', 'd7', '7d,', '7d 4w', '7d,3d', 'last=', 'last=-1', '-1d', '1.5d', '0d'])(
    'refuses %j',
    (text) => {
      expect(() => parseRetention(text)).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    },
  )
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type KeepOptions, keep } from './keep.js'
import { type Period, periods, periodsIn } from './periods.js'
import type { RetainableBackup } from './retention-strategy.js'

const now = new Date('2026-11-21T12:00:00Z')

/** Backups of these times; their ids are their times. */
function backupsAt(...times: readonly string[]): RetainableBackup[] {
  return times.map((time) => ({ id: time, type: 'manual', startedAt: new Date(time), storedBytes: 1 }))
}

function kept(options: KeepOptions, backups: readonly RetainableBackup[]): string[] {
  const strategy = keep({ timeZone: 'UTC', ...options })
  return strategy.decide(backups, now).flatMap((decision) => (decision.keep ? [decision.id] : []))
}

const policies = fc
  .record({
    last: fc.nat(4),
    hourly: fc.nat(4),
    daily: fc.nat(4),
    weekly: fc.nat(4),
    monthly: fc.nat(4),
    yearly: fc.nat(4),
    timeZone: fc.constantFrom('UTC', 'Europe/Paris', 'America/St_Johns', 'Pacific/Apia'),
  })
  .filter(({ last, hourly, daily, weekly, monthly, yearly }) => last + hourly + daily + weekly + monthly + yearly > 0)

const histories = fc
  .uniqueArray(fc.date({ min: new Date('2024-01-01Z'), max: now, noInvalidDate: true }), {
    maxLength: 60,
    selector: (date) => date.getTime(),
  })
  .map((dates) => backupsAt(...dates.map((date) => date.toISOString())))

describe('keep', () => {
  it('keeps the newest of each of the last periods that have any', () => {
    const backups = backupsAt(
      '2026-11-21T02:00:00.000Z',
      '2026-11-20T22:00:00.000Z',
      '2026-11-20T02:00:00.000Z',
      '2026-11-11T02:00:00.000Z', // nine days without any do not count
      '2026-11-10T02:00:00.000Z',
    )
    expect(kept({ daily: 3 }, backups)).toEqual([
      '2026-11-21T02:00:00.000Z',
      '2026-11-20T22:00:00.000Z',
      '2026-11-11T02:00:00.000Z',
    ])
    expect(kept({ last: 2 }, backups)).toHaveLength(2)
    expect(kept({ yearly: 5 }, backups)).toEqual(['2026-11-21T02:00:00.000Z'])
  })

  it('says why, tier by tier', () => {
    const backups = backupsAt('2026-11-21T02:00:00.000Z', '2026-11-20T02:00:00.000Z', '2026-11-19T02:00:00.000Z')
    const decisions = keep({ last: 1, daily: 2, timeZone: 'UTC' }).decide(backups, now)
    expect(decisions.map(({ reasons }) => reasons)).toEqual([
      ['last 1 of 1', 'daily 1 of 2'],
      ['daily 2 of 2'],
      ['beyond last 1, 2 daily'],
    ])
  })

  it('counts weeks from Monday, over the end of a year', () => {
    const backups = backupsAt(
      '2026-01-05T01:00:00.000Z', // Monday
      '2026-01-04T23:00:00.000Z', // Sunday of the week before
      '2025-12-29T01:00:00.000Z', // Monday of that week
      '2025-12-28T23:00:00.000Z',
    )
    expect(kept({ weekly: 2 }, backups)).toEqual(['2026-01-05T01:00:00.000Z', '2026-01-04T23:00:00.000Z'])
  })

  it('goes by the days of its time zone', () => {
    const backups = backupsAt('2026-07-01T22:30:00.000Z', '2026-07-01T21:30:00.000Z')
    expect(kept({ daily: 2, timeZone: 'UTC' }, backups)).toHaveLength(1)
    expect(kept({ daily: 2, timeZone: 'Europe/Paris' }, backups)).toHaveLength(2)
  })

  it('takes the hour that a change of the clocks repeats for two', () => {
    const backups = backupsAt('2026-10-25T01:30:00.000Z', '2026-10-25T00:30:00.000Z') // 02:30 in Paris, both
    expect(kept({ hourly: 2, timeZone: 'Europe/Paris' }, backups)).toHaveLength(2)
  })

  it('keeps what is within a span before the newest, whatever the time is now', () => {
    const backups = backupsAt('2020-01-10T00:00:00.000Z', '2020-01-08T00:00:00.000Z', '2020-01-07T23:59:59.000Z')
    expect(kept({ within: '2d' }, backups)).toEqual(['2020-01-10T00:00:00.000Z', '2020-01-08T00:00:00.000Z'])
  })

  it.each<[KeepOptions, string]>([
    [{}, 'This retention would keep nothing'],
    [{ daily: 0 }, 'This retention would keep nothing'],
    [{ daily: -1 }, 'daily: must be at least 0'],
    [{ dayly: 7 } as KeepOptions, 'dayly: is not a known setting (did you mean "daily"?)'],
    [{ daily: 1, timeZone: 'Mars/Olympus' }, 'There is no time zone "Mars/Olympus"'],
  ])('refuses %j', (options, problem) => {
    expect(() => keep(options)).toThrow(problem)
  })

  it('keeps the newest, decides once on each, and keeps all of that when asked again', () => {
    fc.assert(
      fc.property(histories, policies, (history, policy) => {
        const strategy = keep(policy)
        const decisions = strategy.decide(history, now)
        expect(decisions.map(({ id }) => id).toSorted()).toEqual(history.map(({ id }) => id).toSorted())
        const staying = history.filter(({ id }) => decisions.find((decision) => decision.id === id)?.keep)
        const newest = history
          .map(({ id }) => id)
          .toSorted()
          .at(-1)
        if (newest !== undefined) expect(staying.map(({ id }) => id)).toContain(newest)
        expect(strategy.decide(staying, now).every((decision) => decision.keep)).toBe(true)
      }),
    )
  })

  it('gives each tier what counting by hand gives', () => {
    fc.assert(
      fc.property(histories, fc.constantFrom(...periods), fc.integer({ min: 1, max: 5 }), (history, period, limit) => {
        expect(kept({ [period]: limit }, history).toSorted()).toEqual(byHand(history, period, limit))
      }),
    )
  })
})

/** The newest of each of the last periods, as one would find them on paper. */
function byHand(history: readonly RetainableBackup[], period: Period, limit: number): string[] {
  const periodOf = periodsIn('UTC')
  const newest = new Map<string, string>()
  for (const { id, startedAt } of history.toSorted((a, b) => a.id.localeCompare(b.id))) {
    newest.set(periodOf(startedAt, period), id)
  }
  return [...newest.values()].toSorted().slice(-limit)
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GuardedBackup, type GuardSettings, guarded, holdOf } from './guards.js'
import type { Decision } from './retention-strategy.js'

const now = new Date('2026-11-21T12:00:00Z')
const settings: GuardSettings = { minKeep: 1, now }
const dayMs = 86_400_000

/** One a day, newest first, with what is special about some. */
function history(
  length: number,
  special: Readonly<Record<number, Partial<GuardedBackup>>> = {},
  series = '0',
): GuardedBackup[] {
  return Array.from({ length }, (_, age) => ({
    id: `${series}${`${age}`.padStart(7, '0')}`,
    type: 'daily',
    startedAt: new Date(now.getTime() - age * dayMs),
    storedBytes: 1_000,
    isPinned: false,
    isVerified: false,
    isRefuted: false,
    isInUse: false,
    ...special[age],
  }))
}

const deleteAll = (backups: readonly GuardedBackup[]): Decision[] =>
  backups.map(({ id }) => ({ id, keep: false, reasons: ['older'] }))

function reasonsFor(
  backups: readonly GuardedBackup[],
  how: Partial<GuardSettings> = {},
): Record<number, readonly string[]> {
  const decisions = guarded(backups, deleteAll(backups), { ...settings, ...how })
  return Object.fromEntries(decisions.flatMap(({ keep, reasons }, age) => (keep ? [[age, reasons]] : [])))
}

describe('guarded', () => {
  it('keeps the newest, the newest verified and what is pinned or being read', () => {
    const backups = history(6, {
      2: { isVerified: true },
      3: { isVerified: true },
      4: { isPinned: true },
      5: { isInUse: true },
    })
    expect(reasonsFor(backups)).toEqual({ 0: ['newest'], 2: ['newest verified'], 4: ['pinned'], 5: ['being read'] })
  })

  it('does not take one for proof that a test restore has refuted', () => {
    const backups = history(4, { 0: { isVerified: true, isRefuted: true }, 2: { isVerified: true } })
    expect(reasonsFor(backups)).toEqual({
      0: ['newest'],
      1: ['newest that no test restore speaks against'],
      2: ['newest verified'],
    })
  })

  it('keeps as many as always stay', () => {
    expect(reasonsFor(history(5), { minKeep: 3 })).toEqual({
      0: ['newest'],
      1: ['one of the 3 that always stay'],
      2: ['one of the 3 that always stay'],
    })
  })

  it('leaves what the strategy keeps, with its reasons, and keeps what it says nothing of', () => {
    const backups = history(2)
    const decisions = guarded(backups, [{ id: '00000001', keep: true, reasons: ['daily 2 of 7'] }], settings)
    expect(decisions.map(({ keep, reasons }) => [keep, ...reasons])).toEqual([
      [true, 'the strategy says nothing of it'],
      [true, 'daily 2 of 7'],
    ])
  })

  it('never deletes the newest complete backup, the newest verified or a pinned one, whatever the decisions', () => {
    const special = fc.record({ isPinned: fc.boolean(), isVerified: fc.boolean(), isRefuted: fc.boolean() })
    fc.assert(
      fc.property(fc.array(fc.tuple(special, fc.boolean()), { minLength: 1, maxLength: 30 }), (given) => {
        const backups = history(given.length, Object.fromEntries(given.map(([each], age) => [age, each])))
        const strategy = backups.map(({ id }, age) => ({ id, keep: given[age]?.[1] ?? true, reasons: ['so'] }))
        const stays = new Map(guarded(backups, strategy, settings).map(({ id, keep }) => [id, keep]))
        const verified = backups.find(({ isVerified, isRefuted }) => isVerified && !isRefuted)
        const sacred = [backups[0], verified, ...backups.filter(({ isPinned }) => isPinned)]
        for (const each of sacred) if (each) expect(stays.get(each.id)).toBe(true)
      }),
    )
  })
})

describe('holdOf', () => {
  const holdOn = (backups: readonly GuardedBackup[], how: Partial<GuardSettings> = {}, doomed = 1): unknown => {
    const decisions = backups.map(({ id }, index) => ({ id, keep: index < backups.length - doomed, reasons: ['so'] }))
    return holdOf([backups], decisions, { ...settings, ...how })?.reason
  }

  it('lets go what is usual, and says nothing where nothing is to go', () => {
    expect(holdOn(history(8))).toBeUndefined()
    expect(holdOn(history(30, { 0: { storedBytes: 1 } }), {}, 0)).toBeUndefined()
  })

  it('stops while the clock stands before the newest backup, or before the last time', () => {
    const early = new Date(now.getTime() - 1)
    expect(holdOn(history(3), { now: early })).toBe('clock')
    expect(holdOn(history(3), { lastPrune: new Date(now.getTime() + 1) })).toBe('clock')
    expect(holdOn(history(3), { lastPrune: now })).toBeUndefined()
  })

  it('stops after a backup that shrank, until three normal ones follow', () => {
    const shrunkAt = (age: number): unknown => holdOn(history(12, { [age]: { storedBytes: 99 } }))
    expect([0, 1, 2, 3].map(shrunkAt)).toEqual(['shrunk', 'shrunk', 'shrunk', undefined])
    expect(holdOn(history(12, { 0: { storedBytes: 100 } }))).toBeUndefined()
  })

  it('stops after a backup that lacks tables, and names them', () => {
    const [all, less] = [['public.orders', 'public.users'], ['public.users']]
    const backups = history(4, { 0: { tables: less }, 1: { tables: all }, 2: { tables: all } })
    const hold = holdOf([backups], deleteAll(backups), settings)
    expect(hold).toMatchObject({ reason: 'lost-tables', canForce: true })
    expect(hold?.message).toContain('lacks the table public.orders that the one before it has')
    expect(holdOn(history(4, { 0: { tables: all }, 1: { tables: less } }))).toBeUndefined()
    expect(holdOn(history(4, { 0: { tables: [] } }))).toBeUndefined()
    expect(holdOn(history(4, { 0: { tables: less }, 2: { tables: all } }))).toBe('lost-tables') // 1 has no inventory
  })

  it('looks at each series by itself, and stops all of them', () => {
    const [steady, shrunk] = [history(6), history(6, { 0: { storedBytes: 1 } }, '1')]
    const oneOfEach = deleteAll([...steady.slice(-1), ...shrunk.slice(-1)])
    expect(holdOf([steady, shrunk], oneOfEach, settings)?.reason).toBe('shrunk')
    const small = history(6, {}, '1').map((backup) => ({ ...backup, storedBytes: 1 }))
    expect(holdOf([steady, small], deleteAll(steady), settings)).toBeUndefined()
    const ahead = history(2, { 0: { startedAt: new Date(now.getTime() + 1) } }, '1')
    expect(holdOf([steady, ahead], deleteAll(steady), settings)?.reason).toBe('clock')
    expect(holdOf([steady, small], deleteAll([...steady, ...small]), settings)?.reason).toBe('many')
  })

  it('is not stopped by what is odd in a series of which nothing goes: it may get no more backups', () => {
    const [tables, less] = [['public.orders', 'public.users'], ['public.users']]
    const ended = history(6, { 0: { storedBytes: 1, tables: less }, 1: { tables } }, '1')
    const kept = ended.map(({ id }) => ({ id, keep: true, reasons: ['so'] }))
    const steady = history(6)
    expect(holdOf([steady, ended], [...deleteAll(steady), ...kept], settings)).toBeUndefined()
  })

  it('stops before more than ten and more than half go at once', () => {
    expect(holdOn(history(20), {}, 11)).toBe('many')
    expect(holdOn(history(20), {}, 10)).toBeUndefined()
    expect(holdOn(history(30), {}, 15)).toBeUndefined()
    expect(holdOn(history(30), {}, 16)).toBe('many')
  })
})

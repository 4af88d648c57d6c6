import { describe, expect, it } from 'vitest'
import { allOf, anyOf } from './combine.js'
import { decide } from './decide.js'
import { everything } from './everything.js'
import type { Decision, RetainableBackup, RetentionStrategy } from './retention-strategy.js'

const now = new Date('2026-11-21T12:00:00Z')
const backups: RetainableBackup[] = ['b', 'a'].map((id, age) => ({
  id,
  type: 'daily',
  startedAt: new Date(now.getTime() - age * 86_400_000),
  storedBytes: 1,
}))

const saying = (answer: unknown): RetentionStrategy => ({ name: 'odd', decide: () => answer as Decision[] })

describe('decide', () => {
  it('gives up only what a strategy clearly does not keep', () => {
    const vague = saying([{ id: 'b' }, { id: 'a', keep: null, reasons: 'so' }])
    expect(decide(vague, backups, now)).toEqual([
      { id: 'b', keep: true, reasons: ['odd'] },
      { id: 'a', keep: true, reasons: ['odd'] },
    ])
  })

  it('takes of two decisions on one backup that which keeps it', () => {
    const keeps = { id: 'a', keep: true, reasons: ['good'] }
    const gives = { id: 'a', keep: false, reasons: ['bad'] }
    expect(decide(saying([keeps, gives]), backups, now)).toEqual([keeps])
    expect(decide(saying([gives, keeps]), backups, now)).toEqual([keeps])
    expect(allOf(saying([keeps, gives]), everything()).decide(backups, now)[1]?.keep).toBe(true)
  })

  it('lets no strategy change what it is shown', () => {
    const meddling: RetentionStrategy = {
      name: 'meddling',
      decide(given, today) {
        for (const { startedAt } of given) startedAt.setFullYear(1999)
        today.setFullYear(1999)
        ;(given as RetainableBackup[]).reverse().pop()
        return []
      },
    }
    const before = structuredClone({ backups, now })
    anyOf(meddling, everything()).decide(backups, now)
    decide(meddling, backups, now)
    expect({ backups, now }).toEqual(before)
  })

  it.each([undefined, {}, Promise.resolve([]), [null], [undefined], ['a']])('refuses %s for an answer', (answer) => {
    expect(() => decide(saying(answer), backups, now)).toThrow('The retention "odd" gives no list of decisions')
  })
})

import { describe, expect, it } from 'vitest'
import { retentionFromData } from './retention-from-data.js'

const at = 'jobs.shop.retention'
const nameOf = (value: unknown): unknown => retentionFromData(value, at).name

describe('a retention of a data file', () => {
  it.each<[unknown, string]>([
    ['7d,4w', '7 daily, 4 weekly'],
    ['everything', 'everything'],
    [{ daily: 7, within: '2d' }, '7 daily, within 2d'],
    [{ maxAge: '30d' }, 'no older than 30d'],
    [{ maxTotalSize: '50GiB' }, 'at most 50GiB in all'],
    [{ allOf: ['7d', { maxTotalSize: '50GiB' }] }, '(7 daily) and (at most 50GiB in all)'],
    [{ anyOf: [{ anyOf: ['last=3'] }, { maxAge: '9d' }] }, '(last 3) or (no older than 9d)'],
  ])('reads %j', (value, name) => {
    expect(nameOf(value)).toBe(name)
  })

  it('takes no name of JavaScript for one of its own', () => {
    expect(retentionFromData({ constructor: '7d' }, at)).toMatchObject({ constructor: { name: '7 daily' } })
  })

  it('reads one for each storage', () => {
    const each = retentionFromData({ disk: '7d', offsite: { monthly: 12 } }, at)
    expect(each).toMatchObject({ disk: { name: '7 daily' }, offsite: { name: '12 monthly' } })
  })

  it.each<[unknown, string]>([
    ['7x', `${at}: "7x" is no retention`],
    [7, `${at}: must be text such as 7d,4w,12m, or { daily: 7, weekly: 4 }`],
    [
      { daily: 7, wekly: 4 },
      `${at}: The options of keep are wrong: wekly: is not a known setting (did you mean "weekly"?)`,
    ],
    [{ disk: { maxAge: 'long' } }, `${at}.disk: The age of maxAge is "long"`],
    [{ maxAge: '30d', daily: 7 }, `${at}: maxAge stands alone; several are joined by allOf or anyOf`],
    [{ allOf: ['7d', '7x'] }, `${at}.allOf.1: "7x" is no retention`],
    [{ allOf: '7d' }, `${at}: must be a list`],
    [{ allOf: [] }, `${at}: A retention of no strategies says nothing`],
  ])('refuses %j, and says where', (value, problem) => {
    expect(() => retentionFromData(value, at)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(problem) }),
    )
  })
})

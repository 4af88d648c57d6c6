import { describe, expect, it } from 'vitest'
import { formatBytes } from './format-bytes.js'
import { formatAge, formatDuration, formatElapsed, formatTime } from './format-duration.js'

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [-1, '0 B'],
    [999, '999 B'],
    [1000, '0.98 KiB'],
    [1024, '1.00 KiB'],
    [1240, '1.21 KiB'],
    [10 * 1024, '10.0 KiB'],
    [102_348, '99.9 KiB'],
    [102_400, '100 KiB'],
    [1_048_576, '1.00 MiB'],
    [13_002_342, '12.4 MiB'],
    [1024 ** 3, '1.00 GiB'],
    [1.5 * 1024 ** 4, '1.50 TiB'],
    [2 * 1024 ** 5, '2.00 PiB'],
    [5000 * 1024 ** 5, '5000 PiB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })

  it('never takes more than eight characters below the largest unit', () => {
    for (let bytes = 0; bytes < 1024 ** 5; bytes = bytes * 1.37 + 1) {
      expect(formatBytes(bytes).length, formatBytes(bytes)).toBeLessThanOrEqual(8)
    }
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [85.4, '85 ms'],
    [999.7, '1.0 s'],
    [3_210, '3.2 s'],
    [59_949, '59.9 s'],
    [59_960, '1 min 00 s'],
    [125_000, '2 min 05 s'],
    [3_599_800, '1 h 00 min'],
    [3_720_000, '1 h 02 min'],
    [90_000_000, '25 h 00 min'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

describe('formatElapsed', () => {
  it.each([
    [0, '0:00'],
    [3_900, '0:03'],
    [760_000, '12:40'],
    [3_723_000, '1:02:03'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatElapsed(ms)).toBe(text)
  })
})

describe('formatAge', () => {
  const now = new Date('2026-11-21T12:00:00Z')
  it.each([
    ['2026-11-21T12:00:05Z', 'just now'],
    ['2026-11-21T11:59:30Z', 'just now'],
    ['2026-11-21T11:55:00Z', '5 min ago'],
    ['2026-11-21T09:00:00Z', '3 h ago'],
    ['2026-11-19T13:00:00Z', '47 h ago'],
    ['2026-11-09T12:00:00Z', '12 d ago'],
    ['2023-11-21T12:00:00Z', '3 y ago'],
  ])('%s was %s', (at, text) => {
    expect(formatAge(new Date(at), now)).toBe(text)
  })
})

describe('formatTime', () => {
  it('says the second and the zone', () => {
    expect(formatTime(new Date('2026-11-20T14:05:09.876Z'))).toBe('2026-11-20 14:05:09 UTC')
  })
})

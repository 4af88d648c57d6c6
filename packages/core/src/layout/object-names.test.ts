import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkKey } from '../storage/object-key.js'
import { uuidV7 } from '../uuid-v7.js'
import type { BackupType } from './manifest.js'
import { baseKey, leaseKey, manifestKey, parseKey, partKey, safeName, shortId, verifiedKey } from './object-names.js'

const startedAt = new Date('2026-03-09T04:05:06.789Z')
const id = '01957a3c-0000-7000-8000-0123456789ab'
const base = baseKey({ id, job: 'shop', database: 'shop_db', type: 'daily', startedAt })

const types = fc.constantFrom<BackupType>('hourly', 'daily', 'weekly', 'monthly', 'custom', 'manual')

describe('the names of objects', () => {
  it('are those of docs/format.md', () => {
    expect(base).toBe('shop/2026/03/shop_db_daily_20260309_040506_456789ab')
    expect(partKey(base, 'dump', '.zst')).toBe(`${base}.dump.zst`)
    expect(manifestKey(base)).toBe(`${base}.manifest.json`)
    expect(leaseKey('shop')).toBe('.holdfast/leases/shop.json')
  })

  it('can be taken apart again', () => {
    const parsed = { safeJob: 'shop', base, shortId: '456789ab', startedAt: new Date('2026-03-09T04:05:06Z') }
    expect(parseKey(manifestKey(base))).toEqual({ ...parsed, kind: 'manifest' })
    expect(parseKey(verifiedKey(base))).toEqual({ ...parsed, kind: 'verified' })
    expect(parseKey(partKey(base, 'globals.sql', '.zst.age'))).toEqual({ ...parsed, kind: 'data' })
  })

  it('are all valid keys that parse back, whatever job and database are called', () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string(),
      fc.constant('..'),
      fc.constant('.holdfast'),
    )
    fc.assert(
      fc.property(names, names, types, (job, database, type) => {
        const made = baseKey({ id, job, database, type, startedAt })
        for (const key of [partKey(made, 'globals.sql', '.zst.age'), manifestKey(made), leaseKey(job)]) checkKey(key)
        expect(parseKey(manifestKey(made))).toMatchObject({ safeJob: safeName(job), base: made, shortId: shortId(id) })
      }),
      { numRuns: 60 },
    )
  }, 30_000)

  it.each([
    'shop/2026/03/notes.txt',
    'shop/2026/03/shop_daily_20260309_040506_456789ab',
    'shop/2026/03/shop_never_20260309_040506_456789ab.dump.zst',
    'shop/2026/03/shop_daily_20260309_040506_456789AB.dump.zst',
    '.holdfast/storage.json',
    '.holdfast/2026/03/shop_daily_20260309_040506_456789ab.dump.zst',
    'a/shop/2026/03/shop_daily_20260309_040506_456789ab.dump.zst',
  ])('does not take %s for one of ours', (key) => {
    expect(parseKey(key)).toBeUndefined()
  })
})

describe('safe names', () => {
  it('leave plain names alone', () => {
    expect(safeName('Shop-1.eu_west')).toBe('Shop-1.eu_west')
  })

  it('keep different names different', () => {
    expect(safeName('a b')).not.toBe(safeName('a/b'))
    expect(safeName('a b')).toMatch(/^a_b-[0-9a-f]{8}$/)
    expect(safeName('')).toMatch(/^_-[0-9a-f]{8}$/)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        expect(safeName(one) === safeName(other)).toBe(one.toWellFormed() === other.toWellFormed())
      }),
    )
  })
})

describe('uuidV7', () => {
  it('begins with the time and says its version and variant', () => {
    const made = uuidV7(new Date(0x0195_7a3c_0001))
    expect(made).toMatch(/^01957a3c-0001-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(uuidV7(startedAt)).not.toBe(uuidV7(startedAt))
  })
})

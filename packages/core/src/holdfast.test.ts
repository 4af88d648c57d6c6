import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { clock, flip, openShop, type Shop, truncate } from '../test/shop.js'
import { BackupError } from './backup-error.js'
import { streamOf } from './byte-stream.js'
import type { Holdfast } from './facade/holdfast.js'
import { createHoldfast } from './holdfast.js'
import { encodeManifest } from './layout/manifest-file.js'
import { verifiedKey } from './layout/object-names.js'
import { createRunContext, type ProgressEvent } from './run-context.js'
import type { Storage } from './storage/storage.js'
import { type MemoryDatabase, memoryDriver } from './testing/memory-driver.js'

const ctx = createRunContext()
let world: Shop
let shop: MemoryDatabase
let disk: Storage
let offsite: Storage
let holdfast: Holdfast
let lines: string[]

beforeEach(async () => {
  world = await openShop()
  ;({ database: shop, disk, offsite, holdfast, lines } = world)
})

describe('backup', () => {
  it('is refused before anything is dumped where its manifest could not be read again', async () => {
    for (const odd of [{ type: 'nightly' }, { label: 42 }]) {
      await expect(holdfast.backup('shop', odd as object)).rejects.toMatchObject({ code: 'config-invalid' })
    }
    expect(await disk.stat('.holdfast/storage.json', ctx)).toBeUndefined()
  })

  it('says what it made', async () => {
    const events: ProgressEvent[] = []
    const made = await holdfast.backup('shop', { label: 'mine', onProgress: (event) => events.push(event) })
    expect(made).toMatchObject({
      status: 'complete',
      backup: {
        job: 'shop',
        label: 'mine',
        type: 'manual',
        plainBytes: 200_000,
        name: expect.stringMatching(/^shop_manual_/),
      },
      copies: [
        { storage: 'disk', status: 'complete' },
        { storage: 'offsite', status: 'complete' },
      ],
      filled: [],
      warnings: [],
    })
    const stages = events.flatMap((event) => (event.type === 'stage' ? [event.stage] : []))
    expect(stages).toEqual(['preflight', 'dump', 'commit'])
    expect(events.filter(({ type }) => type === 'copy')).toHaveLength(2)
    expect(events.findLast(({ type }) => type === 'bytes')).toMatchObject({
      part: 'dump',
      storedBytes: made.backup.storedBytes,
    })
  })

  it('says why a copy failed, where the others are enough', async () => {
    const put = (): Promise<never> => Promise.reject(new BackupError('storage-denied', { message: 'not yours' }))
    const made = await world.on({ disk, offsite: { ...offsite, put } }).backup()
    expect(made).toMatchObject({
      status: 'partial',
      copies: [{ status: 'complete' }, { storage: 'offsite', status: 'failed', error: 'not yours' }],
    })
  })

  it('needs no name when there is one job, and refuses to guess otherwise', async () => {
    expect((await holdfast.backup()).backup.job).toBe('shop')
    await expect(holdfast.backup('shp')).rejects.toMatchObject({
      code: 'no-match',
      message: expect.stringContaining('"shop"'),
    })
    const source = memoryDriver({ database: shop })
    const two = createHoldfast({ jobs: { a: { source, storages: [disk] }, b: { source, storages: [disk] } } })
    await expect(two.backup()).rejects.toMatchObject({ code: 'no-match', hint: expect.stringContaining('a, b') })
    await expect(createHoldfast({ jobs: {} }).backup()).rejects.toMatchObject({ code: 'no-match' })
  })

  it('comes before a task, which does not run without it', async () => {
    expect(await holdfast.before('shop', async () => 42)).toBe(42)
    shop.content = undefined
    let ran = false
    const task = async (): Promise<void> => {
      ran = true
    }
    await expect(holdfast.before('shop', task)).rejects.toMatchObject({ code: 'source-missing' })
    expect(ran).toBe(false)
  })
})

describe('list', () => {
  it('shows backups newest first, with each copy as it is', async () => {
    const older = await holdfast.backup()
    await clock.advance(60_000)
    const newer = await holdfast.backup()
    const { backups, damaged, unreachable } = await holdfast.list()
    expect(backups.map(({ id }) => id)).toEqual([newer.backup.id, older.backup.id])
    expect({ damaged, unreachable }).toEqual({ damaged: [], unreachable: [] })
    const [part] = older.backup.manifest.parts
    await truncate(offsite, part?.key ?? '')
    expect((await holdfast.show(older.backup.id)).copies).toEqual([
      { storage: 'disk', status: 'complete', isPinned: false },
      { storage: 'offsite', status: 'missing', isPinned: false, problem: expect.stringContaining('bytes') },
    ])
    await disk.delete(part?.key ?? '', ctx)
    expect((await holdfast.show(older.backup.id)).copies[0]).toMatchObject({
      status: 'missing',
      problem: expect.stringContaining('gone'),
    })
    expect((await holdfast.show('latest', { restorable: true })).id).toBe(newer.backup.id)
    const reason = new Error('enough')
    await expect(holdfast.list({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect((await holdfast.list({ job: 'crm' })).backups).toEqual([])
    expect((await holdfast.list({ storage: 'disk' })).backups[0]?.copies).toHaveLength(1)
  })

  it('names a damaged manifest instead of believing it', async () => {
    const { backup } = await holdfast.backup()
    const key = `${backup.base}.manifest.json`
    await flip(disk, key, 300)
    const { backups, damaged } = await holdfast.list()
    expect(backups[0]?.copies).toEqual([{ storage: 'offsite', status: 'complete', isPinned: false }])
    expect(damaged).toMatchObject([{ storage: 'disk', key }])
    await holdfast.show('latest')
    expect(lines.some((line) => line.includes('is damaged'))).toBe(true)
  })

  it('names a storage that cannot be read, and fails when none can', async () => {
    await holdfast.backup()
    const list = (): never => {
      throw new BackupError('storage-denied', { message: 'not yours' })
    }
    const half = world.on({ disk, offsite: { ...offsite, list } })
    expect(await half.list()).toMatchObject({
      backups: [{ job: 'shop' }],
      unreachable: [{ storage: 'offsite', error: { code: 'storage-denied' } }],
    })
    expect(await half.show('latest')).toMatchObject({ job: 'shop' })
    await expect(world.on({ disk: { ...disk, list } }).list()).rejects.toMatchObject({ code: 'storage-denied' })
  })
})

describe('verify', () => {
  it('reads every copy and remembers what it found', async () => {
    const { backup } = await holdfast.backup()
    const plainSha256 = createHash('sha256')
      .update(shop.content ?? '')
      .digest('hex')
    expect(await holdfast.verify('latest')).toMatchObject({
      status: 'intact',
      copies: [
        { storage: 'disk', status: 'intact', parts: [{ name: 'dump', plainBytes: 200_000, plainSha256 }] },
        { storage: 'offsite', status: 'intact' },
      ],
    })
    const shown = await holdfast.show(backup.shortId)
    expect(shown.verifiedAt).toEqual(clock.now())
    expect(shown.copies.every(({ verifiedAt }) => verifiedAt !== undefined)).toBe(true)
  })

  it('finds every flipped byte and every cut, and the copy is marked', async () => {
    const { backup } = await holdfast.backup()
    const key = backup.manifest.parts[0]?.key ?? ''
    for (const at of [0, 5, 1_000, backup.storedBytes - 1]) {
      await flip(disk, key, at)
      const found = await holdfast.verify(backup.id)
      expect(found).toMatchObject({ status: 'corrupt' })
      expect(found.copies.map(({ storage, status }) => `${storage} ${status}`).sort()).toEqual([
        'disk corrupt',
        'offsite intact',
      ])
      await flip(disk, key, at)
    }
    await truncate(disk, key)
    expect((await holdfast.verify(backup.id)).status).toBe('corrupt')
    await disk.delete(key, ctx)
    expect((await holdfast.verify(backup.id)).copies.find(({ storage }) => storage === 'disk')).toMatchObject({
      status: 'corrupt',
      parts: [],
    })
  })

  it('marks a copy corrupt until it is found intact again', async () => {
    const { backup } = await holdfast.backup()
    const key = backup.manifest.parts[0]?.key ?? ''
    await flip(disk, key, 9)
    await holdfast.verify('latest')
    await flip(disk, key, 9)
    expect((await holdfast.show('latest')).copies[0]).toMatchObject({
      storage: 'disk',
      status: 'corrupt',
      problem: expect.any(String),
    })
    await holdfast.verify('latest')
    expect((await holdfast.show('latest')).copies[0]).toMatchObject({ status: 'complete' })
  })

  it('goes on where the result cannot be kept, and where an older result is not one', async () => {
    const { backup } = await holdfast.backup()
    for (const text of ['torn{', '{}']) {
      await disk.put(verifiedKey(backup.base), streamOf(Buffer.from(text)), {}, ctx)
      expect((await holdfast.show('latest')).copies[0]).toEqual({
        storage: 'disk',
        status: 'complete',
        isPinned: false,
      })
    }
    const put = (): Promise<never> => Promise.reject(new BackupError('read-only', { message: 'read only' }))
    expect((await world.on({ disk: { ...disk, put } }).verify('latest')).status).toBe('intact')
  })

  it("uses the engine's own check, and tells a copy that cannot be read from a damaged one", async () => {
    await holdfast.backup()
    const driver = {
      ...memoryDriver({ database: shop }),
      check: async () => Promise.reject(new BackupError('corrupt', { message: 'ends early' })),
    }
    expect(await holdfast.verify('latest', { driver })).toMatchObject({
      status: 'corrupt',
      copies: [{ problem: 'ends early' }, {}],
    })
    const get: Storage['get'] = (key, range, at) => {
      if (key.endsWith('.json')) return disk.get(key, range, at)
      throw new BackupError('unavailable', { message: 'down' })
    }
    expect(await world.on({ disk: { ...disk, get } }).verify('latest')).toMatchObject({
      status: 'unreadable',
      copies: [{ storage: 'disk', status: 'unreadable', problem: 'down', error: { code: 'unavailable' } }],
    })
  })
})

describe("verify without the engine's tool", () => {
  it('still verifies every byte', async () => {
    await holdfast.backup()
    const check = async (): Promise<never> =>
      Promise.reject(new BackupError('tool-missing', { message: 'no pg_restore' }))
    const driver = { ...memoryDriver({ database: shop }), check }
    expect(await holdfast.verify('latest', { driver })).toMatchObject({
      status: 'intact',
      copies: [{ parts: [{}] }, { parts: [{}] }],
    })
    expect(lines.some((line) => line.includes('no pg_restore'))).toBe(true)
  })
})

describe('a manifest that somebody else wrote', () => {
  it('is not believed when it points at other objects, or lies where it does not belong', async () => {
    const { backup } = await holdfast.backup()
    const { manifest } = backup
    const [part] = manifest.parts
    if (!part) throw new Error('no part')
    const elsewhere = { ...part, key: '.holdfast/storage.json' }
    for (const [at, forged] of [
      [backup.base, { ...manifest, parts: [elsewhere] }],
      [backup.base, { ...manifest, parts: [{ ...part, key: `${backup.base}.dump.manifest.json` }] }],
      [backup.base, { ...manifest, job: 'crm' }],
      [backup.base.replace('shop/', 'crm/'), manifest],
    ] as const) {
      await disk.put(`${at}.manifest.json`, streamOf(encodeManifest(forged)), {}, ctx)
      const { backups, damaged } = await holdfast.list()
      expect(damaged).toMatchObject([{ storage: 'disk', key: `${at}.manifest.json` }])
      expect(backups.map(({ id }) => id)).toEqual([backup.id])
      await disk.delete(`${at}.manifest.json`, ctx)
    }
  })
})

describe('one manifest that cannot be read', () => {
  it('does not hide the others', async () => {
    const { backup } = await holdfast.backup()
    await clock.advance(60_000)
    const newer = await holdfast.backup()
    const get: Storage['get'] = (key, range, at) => {
      if (key === `${backup.base}.manifest.json`) throw new BackupError('storage-denied', { message: 'archived' })
      return disk.get(key, range, at)
    }
    const { backups, damaged, unreachable } = await world.on({ disk: { ...disk, get } }).list()
    expect(backups.map(({ id }) => id)).toEqual([newer.backup.id])
    expect(damaged).toMatchObject([{ key: `${backup.base}.manifest.json`, problem: 'archived' }])
    expect(unreachable).toEqual([])
  })
})

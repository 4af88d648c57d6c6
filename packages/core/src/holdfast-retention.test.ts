import { beforeEach, describe, expect, it } from 'vitest'
import { last, retentionHelpers } from '../test/retention.js'
import { clock, contentOf, openShop, type Shop, truncate } from '../test/shop.js'
import { BackupError } from './backup-error.js'
import { streamOf } from './byte-stream.js'
import type { JobConfig } from './config.js'
import { createHoldfast } from './holdfast.js'
import { leaseKey, manifestKey } from './layout/object-names.js'
import { createRunContext } from './run-context.js'
import type { Storage } from './storage/storage.js'
import { memoryDriver } from './testing/memory-driver.js'
import { memoryStorage } from './testing/memory-storage.js'

const ctx = createRunContext()
let world: Shop
const { shopWith, backUp, idsOn } = retentionHelpers(() => world)

beforeEach(async () => {
  world = await openShop()
})

async function copyOf(storage: Storage): Promise<Storage> {
  const copy = memoryStorage({ name: storage.name })
  for await (const { key } of storage.list('', ctx)) {
    await copy.put(key, streamOf(await contentOf(storage, key)), {}, ctx)
  }
  return copy
}

async function keysOn(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list('shop/', ctx)) keys.push(key)
  return keys.toSorted()
}

describe('plan', () => {
  it('says of every backup on each storage whether it stays and why, and touches nothing', async () => {
    const [first, second, third] = await backUp(3)
    const before = await keysOn(world.disk)
    const plans = await shopWith({ retention: { disk: last(2), offsite: last(1) } }).plan()
    expect(plans.map(({ job, storage, policy }) => [job, storage, policy])).toEqual([
      ['shop', 'disk', 'last 2'],
      ['shop', 'offsite', 'last 1'],
    ])
    expect(plans[0]?.decisions.map(({ backup, keep, reasons }) => [backup.id, keep, ...reasons])).toEqual([
      [third?.id, true, 'last 1 of 2'],
      [second?.id, true, 'last 2 of 2'],
      [first?.id, false, 'beyond last 2'],
    ])
    expect(await keysOn(world.disk)).toEqual(before)
    expect((await world.disk.stat(leaseKey('shop'), ctx))?.key).toBeUndefined()
  })

  it('counts whole copies alone, and leaves the others to people', async () => {
    const [first, second, third] = await backUp(3)
    await truncate(world.disk, third?.manifest.parts[0]?.key ?? '')
    const [onDisk] = await shopWith({ retention: last(1) }).plan()
    expect(onDisk?.decisions.map(({ backup, keep, reasons }) => [backup.id, keep, ...reasons])).toEqual([
      [third?.id, true, 'missing: counts for nothing, and is left to you'],
      [second?.id, true, 'last 1 of 1'],
      [first?.id, false, 'beyond last 1'],
    ])
  })

  it('takes a retention of the call, also for a job that is not configured', async () => {
    await backUp(2)
    const elsewhere = createHoldfast({ storages: { disk: world.disk }, jobs: {}, clock })
    const [plan] = await elsewhere.plan('shop', { retention: last(1) })
    expect(plan?.decisions.map((decision) => decision.keep)).toEqual([true, false])
    const silent = { code: 'config-invalid', message: expect.stringContaining('so all of them do') }
    await expect(elsewhere.plan('shop')).rejects.toMatchObject(silent)
    await expect(world.holdfast.prune()).rejects.toMatchObject(silent)
    await expect(elsewhere.plan('shop', { retention: last(1), storages: ['tape'] })).rejects.toMatchObject({
      code: 'no-match',
    })
  })
})

describe('prune', () => {
  it('deletes what the retention of each storage does not keep, and every object of it', async () => {
    const [, second, third] = await backUp(3)
    const results = await shopWith({ retention: { disk: last(2), offsite: last(1) } }).prune()
    expect(results.map(({ storage, deleted }) => [storage, deleted.length])).toEqual([
      ['disk', 1],
      ['offsite', 2],
    ])
    expect(results[0]?.freedBytes).toBe(second?.storedBytes)
    expect([await idsOn('disk'), await idsOn('offsite')]).toEqual([[second?.id, third?.id], [third?.id]])
    expect(await keysOn(world.offsite)).toEqual(
      [manifestKey(third?.base ?? ''), ...(third?.manifest.parts.map(({ key }) => key) ?? [])].toSorted(),
    )
  })

  it('deletes the manifest before the data, and tells where it could not go on', async () => {
    const [first, second] = await backUp(3)
    const order: string[] = []
    const disk: Storage = {
      ...world.disk,
      async delete(key, inner) {
        order.push(key)
        if (!key.startsWith('.holdfast/') && order.length > 1)
          throw new BackupError('unavailable', { message: 'gone dark' })
        await world.disk.delete(key, inner)
      },
    }
    const [result] = await shopWith({ retention: last(1) }, { disk, offsite: world.offsite }).prune(undefined, {
      storages: ['disk'],
    })
    expect(result).toMatchObject({ deleted: [], problem: expect.stringContaining('gone dark') })
    expect(order.slice(0, 2)).toEqual([manifestKey(first?.base ?? ''), first?.manifest.parts[0]?.key])
    expect((await idsOn('disk'))[0]).toBe(second?.id) // no backup any more, whatever of its data is left
  })

  it('leaves whole backups alone behind, after whatever deletion it is cut short', async () => {
    const made = await backUp(4)
    let cuts = 0
    for (let allowed = 0, wasCut = true; wasCut; allowed++) {
      const disk = await copyOf(world.disk)
      let left = allowed
      wasCut = false
      const cut: Storage = {
        ...disk,
        async delete(key, inner) {
          if (left-- <= 0) wasCut = true
          if (wasCut) throw new BackupError('unavailable', { message: 'killed' })
          await disk.delete(key, inner)
        },
      }
      await shopWith({ retention: last(1) }, { disk: cut, offsite: world.offsite }).prune('shop', {
        storages: ['disk'],
      })
      const { backups, damaged } = await world.on({ disk }).list()
      expect([damaged, backups.filter(({ copies }) => copies[0]?.status !== 'complete')]).toEqual([[], []])
      expect(backups[0]?.id).toBe(made.at(-1)?.id)
      cuts++
    }
    expect(cuts).toBeGreaterThan(6) // two objects of each of three backups
  })

  it('deletes nothing anywhere while a storage or a manifest cannot be read', async () => {
    await backUp(3)
    const dark = (): never => {
      throw new BackupError('unavailable', { message: 'gone dark', retryable: true })
    }
    const unlisted = { disk: world.disk, offsite: { ...world.offsite, list: dark } }
    await expect(shopWith({ retention: last(1) }, unlisted).prune()).rejects.toMatchObject({ message: 'gone dark' })
    const denied: Storage['get'] = (key, range, inner) => {
      if (key.endsWith('.manifest.json')) throw new BackupError('storage-denied', { message: 'not yours' })
      return world.offsite.get(key, range, inner)
    }
    const unread = { disk: world.disk, offsite: { ...world.offsite, get: denied } }
    await expect(shopWith({ retention: last(1) }, unread).prune()).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('Nothing was deleted'),
    })
    expect(await idsOn('disk')).toHaveLength(3)
  })

  it('is not kept from it by a manifest that is damaged, and leaves that alone', async () => {
    const [first, , third] = await backUp(3)
    const key = manifestKey(third?.base ?? '')
    await world.disk.put(key, streamOf(Buffer.from('{}')), {}, ctx)
    const [onDisk] = await shopWith({ retention: last(1) }).prune()
    expect(onDisk?.deleted.map(({ id }) => id)).toEqual([first?.id])
    expect((await contentOf(world.disk, key)).toString()).toBe('{}')
  })

  it('waits for nobody: while another run of the job writes, it deletes nothing', async () => {
    await backUp(2)
    const expiresAt = new Date(clock.now().getTime() + 60_000).toISOString()
    const held = { run: 'another', host: 'elsewhere', pid: 1, startTime: '', expiresAt }
    await world.offsite.put(leaseKey('shop'), streamOf(Buffer.from(JSON.stringify(held))), {}, ctx)
    await expect(shopWith({ retention: last(1) }).prune()).rejects.toMatchObject({ code: 'busy' })
    expect(await idsOn('disk')).toHaveLength(2)
    expect(await world.disk.stat(leaseKey('shop'), ctx)).toBeUndefined() // its own is let go
  })

  it('deletes nothing on a storage that is another than it was', async () => {
    await backUp(2)
    const holdfast = shopWith({ retention: last(1) })
    await holdfast.backup() // it knows the storages from now on
    await world.disk.put('.holdfast/storage.json', streamOf(Buffer.from('{"id":"other"}')), {}, ctx)
    await expect(holdfast.prune()).rejects.toMatchObject({ code: 'storage-identity' })
  })

  it('stops before a hold, which a person may lift', async () => {
    const [first] = await backUp(2)
    world.database.content = Buffer.from('almost nothing')
    await backUp(1)
    const holdfast = shopWith({ retention: last(1) })
    const held = await holdfast.prune()
    expect(held[0]).toMatchObject({ deleted: [], hold: { reason: 'shrunk', canForce: true } })
    expect(await idsOn('disk')).toHaveLength(3)
    const forced = await holdfast.prune('shop', { force: true })
    expect(forced[0]?.deleted[0]?.id).toBe(first?.id)
  })

  it('stops while the clock stands before the last time, however often it is tried', async () => {
    await backUp(3)
    const holdfast = shopWith({ retention: last(2) })
    clock.jump(72 * 3_600_000)
    await holdfast.prune()
    clock.jump(-72 * 3_600_000)
    for (let attempt = 0; attempt < 2; attempt++) {
      const [onDisk] = await holdfast.prune('shop', { force: true, retention: last(1) })
      expect(onDisk).toMatchObject({ deleted: [], hold: { reason: 'clock', canForce: false } })
    }
  })
})

describe('pins', () => {
  it('keep a backup on every storage, until they are taken back', async () => {
    const [first] = await backUp(3)
    const holdfast = shopWith({ retention: last(1) })
    expect((await holdfast.pin(first?.id ?? '')).copies.every(({ isPinned }) => isPinned)).toBe(true)
    await holdfast.prune()
    expect(await idsOn('offsite')).toContain(first?.id)
    expect((await holdfast.show(first?.id ?? '')).copies[0]?.isPinned).toBe(true)
    const [plan] = await holdfast.plan()
    expect(plan?.decisions.at(-1)?.reasons).toEqual(['pinned'])
    await holdfast.unpin(first?.id ?? '')
    await holdfast.prune()
    expect(await idsOn('offsite')).not.toContain(first?.id)
    expect((await keysOn(world.disk)).filter((key) => key.endsWith('.pin.json'))).toEqual([])
  })

  it('do not claim to keep what a prune deletes meanwhile', async () => {
    const [first] = await backUp(2)
    const base = first?.base ?? ''
    const deleting = (storage: Storage): Storage => ({
      ...storage,
      async put(key, body, how, inner) {
        const stored = await storage.put(key, body, how, inner)
        if (key.endsWith('.pin.json')) await storage.delete(manifestKey(base), inner)
        return stored
      },
    })
    const { disk, offsite } = world
    const onOffsite = await shopWith({}, { disk: deleting(disk), offsite }).pin(first?.id ?? '')
    expect(onOffsite.copies).toEqual([expect.objectContaining({ storage: 'offsite', isPinned: true })])
    expect(world.lines).toContainEqual(expect.stringMatching(/on disk was deleted while it was being pinned$/))
    await expect(shopWith({}, { disk, offsite: deleting(offsite) }).pin(first?.id ?? '')).rejects.toMatchObject({
      code: 'not-found',
    })
    const pins = [...(await keysOn(disk)), ...(await keysOn(offsite))].filter((key) => key.endsWith('.pin.json'))
    expect(pins).toEqual([])
  })
})

const warned =
  'No old backups were deleted: this backup was warned of. A prune deletes what is to go, once you know why'

describe('a backup of a job with a retention', () => {
  it('deletes what is not kept afterwards, and says so', async () => {
    await backUp(2)
    await clock.advance(1_000)
    const { backup, pruned } = await shopWith({ retention: { disk: last(1) } }).backup()
    expect(pruned.map(({ storage, deleted }) => [storage, deleted.length])).toEqual([['disk', 2]])
    expect(await idsOn('disk')).toEqual([backup.id])
    expect(await idsOn('offsite')).toHaveLength(3)
  })

  it('stands when nothing can be deleted, and says why', async () => {
    await backUp(1)
    await clock.advance(1_000)
    const disk: Storage = {
      ...world.disk,
      async delete(key, inner) {
        if (key.startsWith('shop/')) throw new BackupError('storage-denied', { message: 'append only' })
        await world.disk.delete(key, inner)
      },
    }
    const { status } = await shopWith({ retention: last(1) }, { disk, offsite: world.offsite }).backup()
    expect(status).toBe('complete')
    expect(world.lines).toContainEqual(expect.stringMatching(/could not be deleted from disk: append only$/))
  })

  it('deletes nothing after one that shrank, and says why', async () => {
    await backUp(2)
    await clock.advance(1_000)
    world.database.content = Buffer.from('almost nothing')
    const { pruned } = await shopWith({ retention: last(1) }).backup()
    expect(pruned).toEqual([])
    expect(world.lines).toContain(warned)
    expect(await idsOn('disk')).toHaveLength(3)
  })

  it('deletes nothing after one that may be of the wrong database', async () => {
    await backUp(3)
    await clock.advance(1_000)
    const other = memoryDriver({ name: 'shop_copy', database: { content: Buffer.from('almost nothing') } })
    await shopWith({ retention: last(1), source: other }).backup()
    expect(world.lines).toContain(warned)
    expect(await idsOn('disk')).toHaveLength(4)
  })

  it('deletes nothing while a copy could not be made: old ones may be all that can be reached', async () => {
    await backUp(2)
    await clock.advance(1_000)
    const offsite: Storage = {
      ...world.offsite,
      put: async () => {
        throw new BackupError('storage-denied', { message: 'no credentials' })
      },
    }
    const { status, pruned } = await shopWith({ retention: last(1) }, { disk: world.disk, offsite }).backup()
    expect([status, pruned]).toEqual(['partial', []])
    expect(world.lines).toContain('No old backups were deleted: this backup is not on offsite')
    expect(await idsOn('disk')).toHaveLength(3)
  })

  it('says nothing of retention where there is none', async () => {
    await backUp(1)
    world.database.content = Buffer.from('almost nothing')
    await clock.advance(1_000)
    await world.holdfast.backup()
    expect(world.lines.filter((line) => line.includes('deleted'))).toEqual([])
  })
})

describe('a configuration', () => {
  it.each<[unknown, string]>([
    [{ retention: { tape: last(1) } }, 'jobs.shop.retention: the job has no storage called "tape"'],
    [{ retention: '7d' }, 'jobs.shop.retention: must be a retention, for example keep({ daily: 7 })'],
    [{ minKeep: 0 }, 'jobs.shop.minKeep: must be at least 1'],
  ])('with %j is refused', (more, problem) => {
    expect(() => shopWith(more as Partial<JobConfig>)).toThrow(problem)
  })
})

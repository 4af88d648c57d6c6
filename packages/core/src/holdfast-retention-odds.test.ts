import { beforeEach, describe, expect, it } from 'vitest'
import { last, retentionHelpers } from '../test/retention.js'
import { clock, contentOf, openShop, type Shop } from '../test/shop.js'
import { BackupError } from './backup-error.js'
import { streamOf } from './byte-stream.js'
import type { JobConfig } from './config.js'
import type { Driver } from './driver/driver.js'
import type { BackupRecord } from './engine/backup-record.js'
import { encodeManifest } from './layout/manifest-file.js'
import { baseKey, leaseKey, manifestKey, pinKey } from './layout/object-names.js'
import type { RetainableBackup, RetentionStrategy } from './retention/retention-strategy.js'
import { createRunContext } from './run-context.js'
import type { Storage } from './storage/storage.js'
import { memoryDriver } from './testing/memory-driver.js'

const ctx = createRunContext()
let world: Shop
const { shopWith, backUp, idsOn } = retentionHelpers(() => world)

beforeEach(async () => {
  world = await openShop()
})

describe('prune', () => {
  it('trusts the order of nothing that a strategy has touched', async () => {
    const [, , third] = await backUp(3)
    const upsideDown: RetentionStrategy = {
      name: 'upside down',
      decide: (given) =>
        (given as RetainableBackup[]).reverse().map(({ id }) => ({ id, keep: false, reasons: ['no reason'] })),
    }
    await shopWith({ retention: upsideDown }).prune()
    expect(await idsOn('disk')).toEqual([third?.id])
  })

  it('keeps a backup whose id another manifest claims as well', async () => {
    const [, , third] = await backUp(3)
    const { manifest, base } = third as BackupRecord
    // Older than all, and with its own data: whoever may only add objects can write it.
    const startedAt = new Date('2020-01-01T00:00:00Z')
    const own = baseKey({ ...manifest, startedAt })
    const parts = manifest.parts.map((part) => ({ ...part, key: part.key.replace(base, own) }))
    for (const [index, { key }] of parts.entries()) {
      await world.disk.put(key, streamOf(await contentOf(world.disk, manifest.parts[index]?.key ?? '')), {}, ctx)
    }
    const forged = encodeManifest({ ...manifest, startedAt: startedAt.toISOString(), parts })
    await world.disk.put(manifestKey(own), streamOf(forged), {}, ctx)
    await backUp(1)
    await shopWith({ retention: last(2) }).prune('shop', { storages: ['disk'] })
    expect(await world.disk.stat(manifestKey(base), ctx)).toBeDefined()
  })

  it('lets no dump of a part, and none of another database, push out one of everything', async () => {
    const source = memoryDriver({ name: 'shop', database: world.database })
    const partly: Driver = {
      ...source,
      async dump(request, inner) {
        const session = await source.dump(request, inner)
        const { sections = 'all' } = request
        const done = session.done.then((report) => ({ ...report, options: { sections } }))
        return { ...session, done }
      },
    }
    const retention = last(1)
    const dumping = (job: Partial<JobConfig>): Promise<unknown> =>
      shopWith({ source: partly, retention, ...job }).backup()
    await dumping({})
    await clock.advance(1_000)
    const [full] = await idsOn('disk')
    for (const sections of ['data', 'data', 'schema'] as const) {
      await clock.advance(1_000)
      await dumping({ dump: { sections } })
    }
    await clock.advance(1_000)
    await dumping({ source: memoryDriver({ name: 'crm', database: world.database }) })
    expect(await idsOn('disk')).toEqual([full, expect.any(String), expect.any(String), expect.any(String)])
  })

  it('leaves the one alone that somebody began to read after it was decided on', async () => {
    const [first, second] = await backUp(3)
    let verifying: Promise<unknown> = Promise.resolve()
    const disk: Storage = {
      ...world.disk,
      async delete(key, inner) {
        if (key === manifestKey(first?.base ?? '')) {
          verifying = holdfast.verify(second?.id ?? '')
          await begun.promise
        }
        await world.disk.delete(key, inner)
      },
      async *get(key, range, inner) {
        if (key === second?.manifest.parts[0]?.key) {
          begun.resolve()
          await goOn.promise
        }
        yield* world.disk.get(key, range, inner)
      },
    }
    const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const holdfast = shopWith({ retention: { disk: last(1) } }, { disk, offsite: world.offsite })
    const [onDisk] = await holdfast.prune()
    goOn.resolve()
    await verifying
    expect(onDisk?.deleted.map(({ id }) => id)).toEqual([first?.id])
  })

  it('stops when another run takes over in the middle', async () => {
    await backUp(4)
    const expiresAt = new Date(clock.now().getTime() + 60_000).toISOString()
    const other = { run: 'another', host: 'elsewhere', pid: 1, startTime: '', expiresAt }
    const disk: Storage = {
      ...world.disk,
      async delete(key, inner) {
        await world.disk.delete(key, inner)
        if (key.endsWith('.manifest.json'))
          await world.disk.put(leaseKey('shop'), streamOf(Buffer.from(JSON.stringify(other))), {}, inner)
      },
    }
    const holdfast = shopWith({ retention: last(1) }, { disk, offsite: world.offsite })
    const [onDisk, elsewhere] = await holdfast.prune()
    expect(onDisk).toMatchObject({ deleted: [{}], error: { code: 'lease-lost' }, problem: expect.any(String) })
    expect(elsewhere?.deleted).toHaveLength(3)
    expect(await idsOn('disk')).toHaveLength(3)
    expect(JSON.parse((await contentOf(world.disk, leaseKey('shop'))).toString())).toEqual(other) // it is not ours to end
  })

  it('leaves the copies of a pinned backup alone, also on a storage that was away when it was pinned', async () => {
    const [first] = await backUp(3)
    const list = (): never => {
      throw new Error('no route')
    }
    const away: Storage = { ...world.offsite, list }
    const half = shopWith({}, { disk: world.disk, offsite: away })
    await half.pin(first?.id ?? '')
    const holdfast = shopWith({ retention: { offsite: last(1) } })
    const [plan] = await holdfast.prune()
    expect(plan?.decisions.at(-1)).toMatchObject({ keep: true, reasons: ['pinned'] })
    expect(await idsOn('offsite')).toContain(first?.id)
    await expect(
      shopWith({ retention: { disk: last(1) } }, { disk: world.disk, offsite: away }).prune(),
    ).rejects.toThrow('no route')
    expect(await idsOn('disk')).toHaveLength(3)
  })

  it('takes a pin along to the storage that a backup is copied to', async () => {
    const [first] = await backUp(1)
    await world.holdfast.pin(first?.id ?? '')
    for (const key of [manifestKey(first?.base ?? ''), pinKey(first?.base ?? '')]) await world.offsite.delete(key, ctx)
    expect(await world.holdfast.copy(first?.id ?? '', 'offsite')).toEqual({ copied: true })
    expect(await world.offsite.stat(pinKey(first?.base ?? ''), ctx)).toBeDefined()
  })

  it('makes no damaged copy of one that is being verified elsewhere while it is deleted', async () => {
    const [first] = await backUp(2)
    const { base, id } = first as BackupRecord
    const deleting = (inner: Storage): Storage => ({
      ...inner,
      async *get(key, range, at) {
        if (!key.endsWith('.json'))
          for await (const each of inner.list(`${base}.`, at)) await inner.delete(each.key, at)
        yield* inner.get(key, range, at)
      },
    })
    const holdfast = shopWith({}, { disk: world.disk, offsite: deleting(world.offsite) })
    const { copies } = await holdfast.verify(id)
    expect(copies).toMatchObject([
      { storage: 'disk', status: 'intact' },
      { storage: 'offsite', status: 'unreadable', problem: expect.stringContaining('was deleted while') },
    ])
    const left: string[] = []
    for await (const { key } of world.offsite.list(`${base}.`, ctx)) left.push(key)
    expect(left).toEqual([])
  })

  it('leaves one alone that is pinned between the decision and the deed', async () => {
    const [first] = await backUp(2)
    const base = first?.base ?? ''
    const disk: Storage = {
      ...world.disk,
      async *list(prefix, inner) {
        if (prefix === `${base}.`) await world.disk.put(pinKey(base), streamOf(Buffer.from('{}')), {}, inner)
        yield* world.disk.list(prefix, inner)
      },
    }
    const [onDisk] = await shopWith({ retention: last(1) }, { disk, offsite: world.offsite }).prune()
    expect(onDisk?.deleted).toEqual([])
    expect(await idsOn('disk')).toContain(first?.id)
  })

  it('leaves a pinned one alone on a storage too that was away when it was pinned', async () => {
    const [first] = await backUp(2)
    const away = (): never => {
      throw new BackupError('unavailable', { message: 'gone dark', retryable: true })
    }
    const offsite = { ...world.offsite, list: away }
    await shopWith({}, { disk: world.disk, offsite }).pin(first?.id ?? '')
    const results = await shopWith({ retention: last(1) }).prune()
    expect(results.map(({ deleted }) => deleted)).toEqual([[], []])
  })
})

describe('a backup', () => {
  it('fills in no copy that it would delete again', async () => {
    const full: Storage['put'] = (key, body, how, inner) => {
      if (key.startsWith('shop/')) throw new BackupError('storage-full', { message: 'no space left' })
      return world.disk.put(key, body, how, inner)
    }
    const retention = { disk: last(2), offsite: last(9) }
    const filledAfter = async (): Promise<unknown> => {
      await clock.advance(1_000)
      return (await shopWith({ retention }).backup()).filled.map(({ base, to }) => [base, to])
    }
    const failing = shopWith({ retention }, { disk: { ...world.disk, put: full }, offsite: world.offsite })
    const owed = (await failing.backup()).backup
    expect(await filledAfter()).toEqual([[owed.base, 'disk']]) // the second of two
    const before = await idsOn('disk')
    expect(await filledAfter()).toEqual([])
    expect(await filledAfter()).toEqual([])
    expect([before[0], await idsOn('disk')]).toEqual([owed.id, expect.not.arrayContaining([owed.id])])
  })

  it.each([{ disk: last(1), offsite: last(9) }, { disk: last(1) }])(
    'fills in the copy of one that was pinned meanwhile, and keeps it: %j',
    async (retention) => {
      const away: Storage['put'] = (key, body, how, inner) => {
        if (key.startsWith('shop/')) throw new BackupError('unavailable', { message: 'gone dark' })
        return world.disk.put(key, body, how, inner)
      }
      const disk = { ...world.disk, put: away }
      const owed = (await shopWith({ retention }, { disk, offsite: world.offsite }).backup()).backup
      await shopWith({}).pin(owed.id)
      const filled: unknown[] = []
      for (let run = 0; run < 2; run++) {
        await clock.advance(1_000)
        filled.push((await shopWith({ retention }).backup()).filled.map(({ base, to }) => [base, to]))
        expect((await idsOn('disk'))[0]).toBe(owed.id)
      }
      expect(filled).toEqual([[[owed.base, 'disk']], []])
    },
  )

  it('deletes nothing when it is the safety backup of a restore: another may be the one that is needed', async () => {
    const [first, second] = await backUp(2)
    await clock.advance(1_000)
    const holdfast = shopWith({ retention: last(1) })
    const { safetyBackup } = await holdfast.restore(first?.id ?? '', { mode: 'clean', safetyBackup: true })
    expect(await idsOn('disk')).toEqual([first?.id, second?.id, safetyBackup?.id])
    await holdfast.prune()
    expect(await idsOn('disk')).toEqual([safetyBackup?.id])
  })
})

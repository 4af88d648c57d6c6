import { beforeEach, describe, expect, it } from 'vitest'
import { BackupError } from './backup-error.js'
import type { Driver } from './driver/driver.js'
import { createHoldfast } from './holdfast.js'
import { createRunContext } from './run-context.js'
import { type BackedUpShop, backedUpShop } from './testing/backed-up-shop.js'

const hour = 3_600_000
const mine = Buffer.from('what was there before')
let { clock, shop, source, disk, holdfast, content } = {} as BackedUpShop

beforeEach(async () => {
  ;({ clock, shop, source, disk, holdfast, content } = await backedUpShop(mine))
})

describe('undo and cleanup', () => {
  it('take back what was replaced last, or what is named', async () => {
    const first = await holdfast.restore('latest')
    await clock.advance(hour)
    await holdfast.restore('latest')
    expect(await holdfast.undo()).toEqual({
      target: 'memory:shop',
      name: 'shop__before_69a43850',
      oldName: expect.stringMatching(/^shop__before_/),
      keepUntil: new Date('2026-03-02T13:00:00Z'),
    })
    expect(shop.content).toEqual(content)
    await holdfast.undo('shop', { name: first.old?.name ?? '' })
    expect(shop.content).toEqual(mine)
    await expect(holdfast.undo(source, { name: 'shop__before_00000000' })).rejects.toMatchObject({ code: 'no-match' })
    await expect(holdfast.undo('shoq')).rejects.toMatchObject({ code: 'no-match' })
  })

  it('say when there is nothing, or when the driver keeps nothing', async () => {
    await expect(holdfast.undo('shop')).rejects.toMatchObject({ code: 'no-match' })
    const { asides: _, ...without } = source
    await expect(holdfast.undo(without)).rejects.toMatchObject({ code: 'config-invalid' })
    expect(await holdfast.asides()).toEqual([])
    const jobs = { shop: { source: without, storages: ['disk'] } }
    expect(await createHoldfast({ storages: { disk }, jobs }).asides()).toEqual([])
  })

  it('take back nothing that was dropped meanwhile, and leave alone what is not theirs', async () => {
    const { old } = await holdfast.restore('latest')
    shop.beside.set('shop_of_somebody', { content: mine })
    const [aside, ...more] = await source.asides!(createRunContext())
    expect([aside?.name, more]).toEqual([old?.name, []])
    await holdfast.cleanup('shop', { all: true })
    const again = aside?.takeBack?.({ terminateConnections: false }, createRunContext())
    await expect(again).rejects.toMatchObject({ code: 'source-missing' })
    expect([...shop.beside.keys()]).toEqual(['shop_of_somebody'])
  })

  it('drop what is older than a day, and list the rest', async () => {
    await holdfast.restore('latest')
    shop.beside.set('shop__holdfast_69a43850', { content: new Uint8Array(7) })
    await clock.advance(23 * hour)
    expect((await holdfast.asides()).map(({ kind, sizeBytes }) => [kind, sizeBytes])).toEqual([
      ['unfinished', 7],
      ['replaced', mine.length],
    ])
    expect(await holdfast.cleanup()).toMatchObject({ dropped: [], kept: [{}, {}], failed: [] })
    await clock.advance(hour)
    expect(await holdfast.cleanup('shop')).toMatchObject({
      dropped: [{ kind: 'replaced' }],
      kept: [{ kind: 'unfinished' }],
    })
    expect(await holdfast.cleanup(source, { all: true })).toMatchObject({ dropped: [{ kind: 'unfinished' }], kept: [] })
    expect(shop.beside.size).toBe(0)
  })

  it('drop none but those that are named', async () => {
    const shown = await holdfast.restore('latest')
    await clock.advance(hour)
    const { old } = await holdfast.restore('latest') // while somebody thinks about what was shown
    const names = [shown.old?.name ?? '']
    expect(await holdfast.cleanup('shop', { all: true, names })).toMatchObject({
      dropped: [{ name: shown.old?.name }],
      kept: [{ name: old?.name }],
    })
  })

  it('drop by the time that the restore was told, and by another only where that is said', async () => {
    const { old } = await holdfast.restore('latest', { keepOld: '7d' })
    expect(old).toMatchObject({ keepUntil: new Date('2026-03-08T12:00:00Z'), isNoted: true })
    await clock.advance(3 * 24 * hour)
    await holdfast.restore('latest', { keepOld: '1h' })
    await clock.advance(2 * hour)
    expect(await holdfast.cleanup()).toMatchObject({
      dropped: [{ keepUntil: new Date('2026-03-04T13:00:00Z') }],
      kept: [{ name: old?.name, keepUntil: old?.keepUntil }],
    })
    expect(await holdfast.cleanup('shop', { keepOld: '4d' })).toMatchObject({
      dropped: [],
      kept: [{ name: old?.name, keepUntil: new Date('2026-03-05T12:00:00Z') }],
    })
    expect((await holdfast.cleanup('shop', { keepOld: '2d' })).dropped).toMatchObject([{ name: old?.name }])
  })

  it('keep for a day what bears a time that cannot be read', async () => {
    const { old } = await holdfast.restore('latest')
    shop.beside.set(old?.name ?? '', { content: mine, keepUntil: new Date('when the cows come home') })
    expect(await holdfast.cleanup()).toMatchObject({
      dropped: [],
      kept: [{ name: old?.name, keepUntil: new Date('2026-03-02T12:00:00Z') }],
    })
  })

  it('keep what an undo puts aside for a day', async () => {
    await holdfast.restore('latest')
    await clock.advance(hour)
    await holdfast.undo()
    const [aside] = await source.asides!(createRunContext())
    expect(aside?.keepUntil).toEqual(new Date('2026-03-02T13:00:00Z'))
  })

  it('say where a driver cannot note the time', async () => {
    const scratch: Driver['scratch'] = async (options, ctx) => {
      const made = await source.scratch!(options, ctx)
      return { ...made, swap: async ({ terminateConnections }, using) => made.swap!({ terminateConnections }, using) }
    }
    const into = { ...source, scratch }
    const { old } = await holdfast.restore('latest', { into, keepOld: '7d' })
    expect(old).toMatchObject({ keepUntil: new Date('2026-03-08T12:00:00Z'), isNoted: false })
    expect((await holdfast.restore('latest', { into })).old).toMatchObject({ isNoted: true })
    expect(await holdfast.asides()).toMatchObject([{}, { keepUntil: new Date('2026-03-02T12:00:00Z') }])
  })

  it('drop once what several jobs know under several names of its server', async () => {
    await holdfast.restore('latest')
    const alias = { ...source, display: 'memory:shop-by-another-name' }
    const jobs = { shop: { source, storages: ['disk'] }, alias: { source: alias, storages: ['disk'] } }
    const both = createHoldfast({ storages: { disk }, jobs, clock })
    expect(await both.asides()).toHaveLength(2)
    expect((await both.cleanup(undefined, { all: true })).dropped).toHaveLength(1)
  })

  it('go on with other databases where one cannot be asked, and tell which', async () => {
    await holdfast.restore('latest')
    const error = new BackupError('source-unreachable', { message: 'nobody answers' })
    const away: Driver = { ...source, display: 'memory:away', asides: () => Promise.reject(error) }
    const jobs = { away: { source: away, storages: ['disk'] }, shop: { source, storages: ['disk'] } }
    const both = createHoldfast({ storages: { disk }, jobs, clock })
    expect(await both.cleanup(undefined, { all: true })).toMatchObject({
      dropped: [{ target: 'memory:shop' }],
      failed: [],
      unreachable: [{ target: 'memory:away', error }],
    })
    const { asides: _, ...without } = source
    await expect(both.cleanup(without)).rejects.toMatchObject({ code: 'config-invalid' })
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(both.cleanup('away', { signal })).rejects.toThrow('enough')
  })

  it('tell what could not be dropped', async () => {
    const error = new BackupError('target-in-use', { message: 'in use', hint: 'Stop what uses it.' })
    const asides: Driver['asides'] = async () => [
      {
        name: 'x',
        kind: 'replaced',
        since: new Date(0),
        sizeBytes: 1,
        drop: () => Promise.reject(error),
      },
    ]
    const { failed } = await holdfast.cleanup({ ...source, asides }, { keepOld: '1h' })
    expect(failed).toEqual([
      {
        target: 'memory:shop',
        name: 'x',
        kind: 'replaced',
        since: new Date(0),
        sizeBytes: 1,
        keepUntil: new Date(hour),
        problem: 'in use',
        error,
      },
    ])
  })
})

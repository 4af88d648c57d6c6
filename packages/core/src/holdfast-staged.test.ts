import { beforeEach, describe, expect, it } from 'vitest'
import { BackupError } from './backup-error.js'
import { readAll, streamOf } from './byte-stream.js'
import type { Driver } from './driver/driver.js'
import type { RestoreOptions } from './facade/calls.js'
import { createHoldfast } from './holdfast.js'
import { createRunContext } from './run-context.js'
import { type BackedUpShop, backedUpShop } from './testing/backed-up-shop.js'
import { type MemoryDatabase, memoryDriver } from './testing/memory-driver.js'

const hour = 3_600_000
const mine = Buffer.from('what was there before')
let { clock, shop, source, disk, holdfast, content } = {} as BackedUpShop

beforeEach(async () => {
  ;({ clock, shop, source, disk, holdfast, content } = await backedUpShop(mine))
})

describe('a restore into a database that holds data', () => {
  it('changes places with it, keeps the old one, and says so', async () => {
    const stages: string[] = []
    const onProgress = (event: { type: string; stage?: string }): void => {
      if (event.type === 'stage') stages.push(event.stage ?? '')
    }
    const done = await holdfast.restore('latest', { onProgress, assertions: [() => true] })
    expect(shop.content).toEqual(content)
    expect(done).toMatchObject({
      mode: 'staged',
      created: false,
      old: { name: 'shop__before_69a42a40', keepUntil: new Date('2026-03-02T12:00:00Z'), goBack: expect.any(String) },
    })
    expect(stages).toEqual(['preflight', 'restore', 'assertions', 'swap'])
    expect([...shop.beside.keys()]).toEqual(['shop__before_69a42a40'])
    expect((await holdfast.restore('latest', { keepOld: '7d' })).old?.keepUntil).toEqual(
      new Date('2026-03-08T12:00:00Z'),
    )
  })

  it('tells the scratch what is left out, for its own preparations', async () => {
    const asked: object[] = []
    const scratch: Driver['scratch'] = (options, ctx) => {
      asked.push(options)
      return source.scratch!(options, ctx)
    }
    const into = { ...source, scratch }
    await holdfast.restore('latest', { into, noOwner: true, noPrivileges: true, terminateConnections: true })
    expect(asked).toMatchObject([{ toSwap: true, noOwner: true, noPrivileges: true, terminateConnections: true }])
  })

  it('stays as it was with a driver whose scratch cannot be swapped in after all', async () => {
    const scratch: Driver['scratch'] = async (options, ctx) => {
      const { swap: _, ...made } = await source.scratch!(options, ctx)
      return made
    }
    await expect(holdfast.restore('latest', { into: { ...source, scratch } })).rejects.toMatchObject({
      code: 'restore-refused',
    })
    expect([shop.content, shop.beside.size]).toEqual([mine, 0])
  })

  it.each([{ mode: 'replace' }, { keepOld: false }] as const)('drops the old one with %j', async (options) => {
    const { mode, old } = await holdfast.restore('latest', options)
    expect([mode, old, shop.content, shop.beside.size]).toEqual(['replace', undefined, content, 0])
  })

  it.each(['replace', 'clean', 'append'] as const)('is not kept with mode %s, whatever is asked', async (mode) => {
    const asked = { mode, keepOld: '7d' } as const
    await expect(holdfast.restore('latest', asked)).rejects.toMatchObject({ code: 'config-invalid' })
    await expect(holdfast.previewRestore('latest', asked)).rejects.toMatchObject({ code: 'config-invalid' })
    expect([shop.content, shop.beside.size]).toEqual([mine, 0])
  })

  it('warns where the old one cannot be dropped', async () => {
    const into: Driver = { ...source, asides: async () => Promise.reject(new Error('no rights')) }
    const { warnings } = await holdfast.restore('latest', { into, mode: 'replace' })
    expect(warnings).toEqual([expect.stringMatching(/still there as shop__before_69a42a40.*no rights/)])
    expect(shop.content).toEqual(content)
    const unlisted: Driver = { ...source, asides: async () => [] }
    const done = await holdfast.restore('latest', { into: unlisted, mode: 'replace' })
    expect(done.warnings).toEqual([expect.stringMatching(/became shop__before_69a42a41, which is not listed/)])
  })

  it('stays as it was, with nothing beside it, when data is damaged or an assertion fails', async () => {
    for (const assertion of [() => false, () => Promise.reject(new Error('rows are missing'))]) {
      await expect(holdfast.restore('latest', { assertions: [assertion] })).rejects.toMatchObject({
        code: 'restore-failed',
      })
      expect([shop.content, shop.beside.size]).toEqual([mine, 0])
    }
    const key = (await holdfast.show('latest')).manifest.parts[0]?.key ?? ''
    const bytes = await readAll(disk.get(key, undefined, createRunContext()))
    bytes.writeUInt8(bytes.readUInt8(500) ^ 1, 500)
    await disk.put(key, streamOf(bytes), {}, createRunContext())
    await expect(holdfast.restore('latest')).rejects.toMatchObject({ code: 'corrupt' })
    expect([shop.content, shop.beside.size]).toEqual([mine, 0])
  })

  it('is created where there is nothing to lose, unless assertions come first', async () => {
    shop.content = undefined
    expect(await holdfast.restore('latest', { mode: 'staged' })).toMatchObject({ mode: 'create', created: true })
    shop.content = undefined
    await expect(holdfast.restore('latest', { assertions: [() => false] })).rejects.toThrow('not as it has to be')
    expect([shop.content, shop.beside.size]).toEqual([undefined, 0])
    const done = await holdfast.restore('latest', { assertions: [() => true] })
    expect([done.mode, done.created, done.old, shop.content]).toEqual(['create', true, undefined, content])
    shop.content = new Uint8Array()
    await holdfast.restore('latest', { assertions: [() => true] })
    expect([shop.content, shop.beside.size]).toEqual([content, 1]) // nobody has agreed to lose what may have come
  })

  it('drops nothing that came into an empty one meanwhile', async () => {
    shop.content = new Uint8Array()
    const assertion = (): void => {
      shop.content = mine
    }
    await expect(holdfast.restore('latest', { assertions: [assertion] })).rejects.toMatchObject({
      code: 'target-not-empty',
    })
    expect([shop.content, shop.beside.size]).toEqual([mine, 0])
  })

  it.each<Record<string, unknown>>([
    { tables: ['orders'] },
    { sections: 'data', tables: [] },
    { sections: 'all', excludeTables: ['logs'] },
  ])('takes its place with a part of one only if told to: %j', async (noted) => {
    shop.content = content
    const part = memoryDriver({ name: 'shop', database: shop, noted })
    const options = { storages: { disk }, jobs: { shop: { source: part, storages: ['disk'] } }, clock }
    const { id } = (await createHoldfast(options).backup()).backup
    shop.content = mine
    await expect(holdfast.restore(id)).rejects.toMatchObject({
      code: 'target-not-empty',
      hint: expect.stringMatching(/^The backup holds a part of its database, .* staged .* clean .* append/),
    })
    expect([shop.content, shop.beside.size]).toEqual([mine, 0])
    expect((await holdfast.restore(id, { mode: 'staged' })).mode).toBe('staged')
    expect([shop.content, shop.beside.size]).toEqual([content, 1])
  })

  it('is refused for a part of a backup, for a driver that cannot swap, and for assertions in place', async () => {
    const part = { code: 'restore-refused', hint: expect.stringContaining('clean or append') }
    await expect(holdfast.restore('latest', { mode: 'staged', tables: ['t'] })).rejects.toMatchObject(part)
    const inPlaceOnly = {
      code: 'target-not-empty',
      hint: expect.stringMatching(/^Say with mode .* what to do with it: clean/),
    }
    await expect(holdfast.restore('latest', { sections: 'schema' })).rejects.toMatchObject(inPlaceOnly)
    const { scratch: _, ...into } = source
    await expect(holdfast.restore('latest', { into, mode: 'replace' })).rejects.toMatchObject(part)
    await expect(holdfast.restore('latest', { into })).rejects.toMatchObject({ code: 'target-not-empty' })
    const inPlace = { mode: 'clean', assertions: [() => true] } as const
    await expect(holdfast.restore('latest', inPlace)).rejects.toMatchObject({ code: 'config-invalid' })
    await expect(holdfast.restore('latest', { assertions: ['select 1'] })).rejects.toMatchObject({
      code: 'config-invalid',
    })
    await expect(holdfast.restore('latest', { mode: 'create' })).rejects.toMatchObject({
      code: 'target-not-empty',
      message: 'memory:shop exists and holds 1 table',
    })
    const absent = { ...into, probe: async () => ({ version: '1', superuser: true }) }
    const asserting = { into: absent, assertions: [() => true] }
    await expect(holdfast.restore('latest', asserting)).rejects.toMatchObject({ code: 'config-invalid' })
    await expect(holdfast.restore('latest', { keepOld: '0h' })).rejects.toMatchObject({ code: 'config-invalid' })
    expect(shop.content).toEqual(mine)
  })
})

describe('what the driver finds before', () => {
  const into = (): Driver => ({
    ...source,
    preflight: async () => ({
      problems: [{ message: 'no hstore', hint: 'Install it.' }, { message: 'no role' }],
      warnings: ['little space'],
    }),
  })

  it('refuses a staged restore, all of it named', async () => {
    await expect(holdfast.restore('latest', { into: into() })).rejects.toMatchObject({
      code: 'restore-refused',
      message: 'no hstore; no role',
      hint: 'Install it.',
    })
    expect(shop.beside.size).toBe(0)
  })

  it('is told by a preview, which touches nothing', async () => {
    const seen = await holdfast.previewRestore('latest', { into: into() })
    expect(seen).toMatchObject({
      mode: 'staged',
      problems: [{}, {}],
      warnings: ['little space'],
      target: 'memory:shop',
    })
    expect(await holdfast.previewRestore('latest', { keepOld: false })).toMatchObject({ mode: 'replace', problems: [] })
    expect([shop.content, shop.beside.size]).toEqual([mine, 0])
  })
})

describe('a safety backup', () => {
  it('is taken first, by the job of the target', async () => {
    await clock.advance(hour) // else it would not be the latest
    const stages: string[] = []
    const onProgress: NonNullable<RestoreOptions['onProgress']> = (event) =>
      void (event.type === 'stage' && stages.push(event.stage))
    const { signal } = new AbortController()
    const { safetyBackup } = await holdfast.restore('latest', { safetyBackup: true, onProgress, signal })
    expect(stages.indexOf('dump')).toBeLessThan(stages.indexOf('swap'))
    expect(safetyBackup?.manifest.label).toMatch(/^before the restore of shop of 2026-03-01T12/)
    expect(shop.content).toEqual(content)
    await clock.advance(hour)
    await holdfast.restore('latest', { mode: 'clean' })
    expect(shop.content).toEqual(mine)
  })

  it('that fails keeps the restore from starting', async () => {
    const failing: Driver = {
      ...source,
      dump: async () => Promise.reject(new BackupError('dump-failed', { message: 'no' })),
    }
    const other = createHoldfast({ storages: { disk }, jobs: { shop: { source: failing, storages: ['disk'] } }, clock })
    await expect(other.restore('latest', { safetyBackup: true })).rejects.toMatchObject({ code: 'dump-failed' })
    expect(shop.content).toEqual(mine)
  })

  it.each([{ sections: 'schema' }, { tables: ['t'] }, { excludeTables: ['log'] }] as const)(
    'is none where its job dumps %j',
    async (dump) => {
      const jobs = { shop: { source, storages: ['disk'], dump } }
      const part = createHoldfast({ storages: { disk }, jobs, clock })
      await expect(part.restore('latest', { mode: 'replace', safetyBackup: true })).rejects.toMatchObject({
        code: 'config-invalid',
        message: 'The job shop backs up a part of memory:shop only, so no safety backup of it can be taken',
      })
      expect([shop.content, (await part.list()).backups.length]).toEqual([mine, 1])
    },
  )

  it('needs a job that backs up the target, and something to save', async () => {
    const elsewhere: MemoryDatabase = { content: mine, beside: new Map() }
    const into = memoryDriver({ name: 'elsewhere', database: elsewhere })
    await expect(holdfast.restore('latest', { into, safetyBackup: true })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('No job backs up memory:elsewhere'),
    })
    await expect(holdfast.previewRestore('latest', { into, safetyBackup: true })).rejects.toThrow('No job backs up')
    shop.content = undefined
    expect((await holdfast.restore('latest', { safetyBackup: true })).safetyBackup).toBeUndefined()
  })
})

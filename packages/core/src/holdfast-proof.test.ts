import { describe, expect, it } from 'vitest'
import { clock, contentOf } from '../test/shop.js'
import type { BackupError } from './backup-error.js'
import { streamOf } from './byte-stream.js'
import type { Cipher } from './cipher/cipher.js'
import type { JobConfig } from './config.js'
import type { Driver } from './driver/driver.js'
import { withoutDatabase } from './driver/without-database.js'
import type { Holdfast } from './facade/holdfast.js'
import { createHoldfast } from './holdfast.js'
import { createRunContext } from './run-context.js'
import type { Storage } from './storage/storage.js'
import { type MemoryDatabase, memoryDriver } from './testing/memory-driver.js'
import { memoryStorage } from './testing/memory-storage.js'

const dump = `= table orders
create
= rows of orders (id, note)
1\tfirst
2\tsecond
3\tthird
= owner of table orders
me`

interface Shop {
  readonly database: MemoryDatabase
  readonly disk: Storage
  readonly source: Driver
  holdfast(job?: Partial<JobConfig>): Holdfast
}

function openShop(change?: (restored: string) => string, content = dump): Shop {
  const database: MemoryDatabase = { content: Buffer.from(content), beside: new Map() }
  const source = changing(memoryDriver({ name: 'shop', database }), change)
  const disk = memoryStorage({ name: 'disk' })
  const holdfast = (job: Partial<JobConfig> = {}): Holdfast =>
    createHoldfast({ storages: { disk }, jobs: { shop: { source, storages: ['disk'], ...job } }, clock })
  return { database, disk, source, holdfast }
}

/** A driver whose scratch databases hold something else than was restored into them. */
function changing(driver: Driver, change: (restored: string) => string = (text) => text, version = '1.0'): Driver {
  return {
    ...driver,
    async scratch(options, ctx) {
      const scratch = await driver.scratch!(options, ctx)
      const inner = scratch.driver
      const restored: Driver = {
        ...inner,
        probe: async (probeCtx) => ({ ...(await inner.probe(probeCtx)), version }),
        async dump(request, dumpCtx) {
          const session = await inner.dump(request, dumpCtx)
          async function* parts() {
            for await (const part of session.parts) {
              const taken = part.take()
              const chunks: Uint8Array[] = []
              if (taken.kind === 'stream') for await (const chunk of taken.body) chunks.push(chunk)
              const body = streamOf(Buffer.from(change(Buffer.concat(chunks).toString())))
              yield { ...part, take: () => ({ kind: 'stream' as const, body }) }
            }
          }
          return { ...session, parts: parts() }
        },
      }
      return { ...scratch, driver: restored, [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() }
    },
  }
}

async function test(shop: Shop, job: Partial<JobConfig> = {}): ReturnType<Holdfast['verify']> {
  const holdfast = shop.holdfast(job)
  await holdfast.backup()
  return await holdfast.verify('latest', { testRestore: true })
}

describe('a test restore', () => {
  it('proves a backup, reads the stored copy once, and leaves nothing beside the database', async () => {
    const shop = openShop()
    const reads: string[] = []
    const get = shop.disk.get.bind(shop.disk)
    shop.disk.get = (key, range, ctx) => {
      reads.push(key)
      return get(key, range, ctx)
    }
    const { test: result, status } = await test(shop)
    expect([status, result?.status, result?.sections, result?.differences]).toEqual(['intact', 'proven', 3, []])
    expect(reads.filter((key) => key.endsWith('.dump.zst'))).toHaveLength(1)
    expect(shop.database.beside?.size).toBe(0)
  })

  it.each([
    [
      'a row changed',
      (text: string) => text.replace('2\tsecond', '2\tother'),
      { section: 'rows of orders', problem: 'row 2 differs in column note', row: 2, column: 'note' },
    ],
    [
      'a row lost',
      (text: string) => text.replace('3\tthird\n', ''),
      { section: 'rows of orders', problem: 'row 3 is missing in the restored database', row: 3 },
    ],
    [
      'a row more',
      (text: string) => text.replace('3\tthird\n', '3\tthird\n4\tfourth\n'),
      { section: 'rows of orders', problem: 'row 4 is in the restored database alone', row: 4 },
    ],
    [
      'a definition changed',
      (text: string) => text.replace('create', 'make'),
      { section: 'table orders', problem: 'it differs' },
    ],
    [
      'a definition lost',
      (text: string) => text.replace('= table orders\ncreate\n', ''),
      { section: 'table orders', problem: 'it is missing in the restored database' },
    ],
    [
      'an owner',
      (text: string) => text.replace(/me$/, 'you'),
      { section: 'owner of table orders', problem: 'it differs' },
    ],
  ])('names %s', async (_, change, expected) => {
    const { test: result, status } = await test(openShop(change))
    expect(result).toMatchObject({ status: 'differs', differences: [expected] })
    expect(status).toBe('corrupt')
  })

  it('takes rows in another order for the same rows', async () => {
    const { test: result } = await test(openShop((text) => text.replace('1\tfirst\n2\tsecond', '2\tsecond\n1\tfirst')))
    expect(result).toMatchObject({ status: 'proven', notes: [] })
  })

  it('notes what only a server of another version words differently, but not rows, nor what is missing', async () => {
    const source = openShop().source
    const on = (change: (text: string) => string): Driver => changing(source, change, '2')
    const testRestore = (change: (text: string) => string): Partial<JobConfig> => ({
      verify: { testRestore: { on: on(change) } },
    })
    const worded = await test(
      openShop(),
      testRestore((text) => text.replace('create', 'make').replace(/me$/, 'you')),
    )
    expect(worded.test).toMatchObject({
      status: 'proven',
      notes: [expect.stringContaining('table orders'), expect.stringContaining('owner of table orders')],
    })
    const rows = await test(
      openShop(),
      testRestore((text) => text.replace('second', 'other')),
    )
    expect(rows.test).toMatchObject({ status: 'differs', differences: [{ section: 'rows of orders', row: 2 }] })
    const missing = await test(
      openShop(),
      testRestore((text) => text.replace('= table orders\ncreate\n', '')),
    )
    expect(missing.test).toMatchObject({ status: 'differs', differences: [{ section: 'table orders' }] })
  })

  it('says that a backup cannot be restored, and why', async () => {
    const shop = openShop()
    const { BackupError } = await import('./backup-error.js')
    const scratch = shop.source.scratch!
    Object.assign(shop.source, {
      scratch: async (...args: Parameters<typeof scratch>) => {
        const made = await scratch(...args)
        const restore = async (): Promise<never> => {
          throw new BackupError('restore-failed', { message: 'the server said no' })
        }
        return { ...made, driver: { ...made.driver, restore } }
      },
    })
    const { test: result, status } = await test(shop)
    expect(result).toMatchObject({ status: 'failed', problem: 'the server said no' })
    expect(status).toBe('corrupt')
    expect(shop.database.beside?.size).toBe(0)
  })

  it('calls a damaged copy damaged', async () => {
    const shop = openShop()
    const holdfast = shop.holdfast()
    const { backup } = await holdfast.backup()
    const { key } = backup.manifest.parts[0]!
    const bytes = await contentOf(shop.disk, key)
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20)
    await shop.disk.put(key, streamOf(bytes), {}, createRunContext())
    const { copies, status, test: result } = await holdfast.verify('latest', { testRestore: true })
    expect([status, result, copies[0]?.status]).toEqual(['corrupt', undefined, 'corrupt'])
    expect((await holdfast.show('latest')).copies).toMatchObject([{ status: 'corrupt' }])
    expect(shop.database.beside?.size).toBe(0)
  })

  it('calls a copy damaged whose data are gone, and one unreadable whose storage is', async () => {
    const shop = openShop()
    const holdfast = shop.holdfast()
    const { backup } = await holdfast.backup()
    const get = shop.disk.get.bind(shop.disk)
    const { key } = backup.manifest.parts[0]!
    const { BackupError } = await import('./backup-error.js')
    shop.disk.get = (at, range, ctx) => {
      if (at === key) throw new BackupError('unavailable', { message: 'no route', retryable: true })
      return get(at, range, ctx)
    }
    const unreadable = await holdfast.verify('latest', { testRestore: true })
    expect(unreadable).toMatchObject({ status: 'unreadable', copies: [{ status: 'unreadable', problem: 'no route' }] })
    expect((await holdfast.show('latest')).copies).toMatchObject([{ status: 'complete' }])
    shop.disk.get = get
    await shop.disk.delete(key, createRunContext())
    const gone = await holdfast.verify(backup.id, { testRestore: true })
    expect(gone).toMatchObject({ status: 'corrupt', copies: [{ status: 'corrupt' }] })
  })

  it('goes on with the next copy where one is deleted meanwhile', async () => {
    const { source, disk } = openShop()
    const offsite = memoryStorage({ name: 'offsite' })
    const holdfast = createHoldfast({
      storages: { disk, offsite },
      jobs: { shop: { source, storages: ['disk', 'offsite'] } },
      clock,
    })
    const { backup } = await holdfast.backup()
    const get = disk.get.bind(disk)
    disk.get = async function* (key, range, ctx) {
      if (key === backup.manifest.parts[0]?.key)
        for await (const each of disk.list(`${backup.base}.`, ctx)) await disk.delete(each.key, ctx)
      yield* get(key, range, ctx)
    }
    expect(await holdfast.verify('latest', { testRestore: true })).toMatchObject({
      status: 'unreadable',
      copies: [
        { storage: 'disk', status: 'unreadable', problem: expect.stringContaining('was deleted while') },
        { storage: 'offsite', status: 'intact' },
      ],
      test: { storage: 'offsite' },
    })
  })

  it('that cannot be made is an error, and says nothing of the copy', async () => {
    const shop = openShop()
    const { BackupError } = await import('./backup-error.js')
    const missing = new BackupError('tool-missing', { message: 'no client' })
    Object.assign(shop.source, { scratch: () => Promise.reject(missing) })
    await expect(test(shop)).rejects.toBe(missing)
    expect((await shop.holdfast().show('latest')).verifiedAt).toBeUndefined()
  })

  it('is kept with the copy, also when the copy is only read again', async () => {
    const holdfast = openShop().holdfast()
    await holdfast.backup()
    await holdfast.verify('latest', { testRestore: true })
    const { test: first } = await holdfast.show('latest')
    await holdfast.verify('latest')
    expect(first?.status).toBe('proven')
    expect((await holdfast.show('latest')).test).toEqual(first)
  })

  it('needs to know where', async () => {
    const shop = openShop()
    await shop.holdfast().backup()
    const stranger = createHoldfast({ storages: { disk: shop.disk }, jobs: {} })
    await expect(stranger.verify('latest', { testRestore: true })).rejects.toMatchObject({ code: 'config-invalid' })
    const found = await stranger.verify('latest', { testRestore: { on: shop.source, assertions: [] } })
    expect(found.test?.status).toBe('proven')
  })

  it('runs assertions of the job, unless the call has its own', async () => {
    const shop = openShop()
    const assertions = [
      function neverTrue() {
        return false
      },
    ]
    const holdfast = shop.holdfast({ verify: { testRestore: { assertions } } })
    await holdfast.backup()
    expect((await holdfast.verify('latest', { testRestore: true })).test).toMatchObject({
      status: 'assertion-failed',
      differences: [],
      failedAssertions: [{ assertion: 'neverTrue', problem: 'it gave false' }],
    })
    expect((await holdfast.verify('latest', { testRestore: { assertions: [] } })).test?.status).toBe('proven')
  })
})

describe('the verify setting of a job', () => {
  const refusal = (job: Partial<JobConfig>): string => {
    try {
      openShop().holdfast(job)
    } catch (error) {
      return (error as BackupError).message
    }
    return ''
  }
  const writeOnly = { id: 'age', extension: '.age', canDecrypt: false, keyIds: ['age1'], encrypt() {}, decrypt() {} }

  it.each([
    [{ verify: { scrub: 'often' } }, 'jobs.shop.verify.scrub: must be hourly, daily, weekly, monthly'],
    [
      { verify: { testRestores: 'daily' } },
      'jobs.shop.verify.testRestores: is not a known setting (did you mean "testRestore"?)',
    ],
    [{ verify: { testRestore: { every: 'daily' } } }, 'jobs.shop.verify.testRestore'],
    [{ verify: { testRestore: { on: 'postgres://x' } } }, 'jobs.shop.verify.testRestore'],
    [
      { verify: { testRestore: 'monthly' }, encrypt: writeOnly as unknown as Cipher },
      'needs a key that reads the backups',
    ],
    [
      { verify: { testRestore: { on: { ...openShop().source, engine: 'mysql' } } } },
      'is of mysql, and the job backs up memory',
    ],
    [
      { verify: { testRestore: {} }, source: memoryDriver({ database: { content: undefined } }) },
      'makes no test restores',
    ],
  ])('is refused where it cannot work: %j', (job, message) => {
    expect(refusal(job as Partial<JobConfig>)).toContain(message)
  })

  it.each([{ scrub: 'weekly' }, { testRestore: 'monthly' }, { scrub: '14d', testRestore: { schedule: '30d' } }, {}])(
    'may be %j',
    (verify) => {
      expect(refusal({ verify } as Partial<JobConfig>)).toBe('')
    },
  )

  it('makes nothing due where it is not set', async () => {
    const { disk, source, holdfast } = openShop()
    await holdfast().backup()
    expect(await holdfast().dueVerifications()).toEqual([])
    const jobs = {
      shop: { source, storages: ['disk'] },
      stock: { source, storages: ['disk'], verify: { scrub: 3_600_000 } },
    }
    const both = createHoldfast({ storages: { disk }, jobs, clock })
    await both.backup('stock')
    expect((await both.dueVerifications()).map(({ backup }) => backup.job)).toEqual(['stock'])
  })

  it('waits for a server whose settings are not there on this host', () => {
    const problem = new Error('TEST_URL is not set') as BackupError
    const on = withoutDatabase(problem)
    expect(refusal({ verify: { testRestore: { on } } })).toBe('')
  })

  it('decides what is due', async () => {
    const holdfast = openShop().holdfast({ verify: { scrub: 'weekly', testRestore: { schedule: 'monthly' } } })
    const due = async (): Promise<string[]> => (await holdfast.dueVerifications()).map(({ kind }) => kind)
    expect(await due()).toEqual([])
    await holdfast.backup()
    await clock.advance(60_000)
    await holdfast.backup()
    expect(await due()).toEqual(['test-restore', 'scrub'])
    for (const { backup, kind } of await holdfast.dueVerifications()) {
      await holdfast.verify(backup.id, { testRestore: kind === 'test-restore' })
    }
    expect(await due()).toEqual([])
    await clock.advance(7 * 24 * 3_600_000)
    expect(await due()).toEqual(['scrub', 'scrub'])
    await clock.advance(23 * 24 * 3_600_000)
    expect(await due()).toEqual(['test-restore', 'scrub'])
  })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { flip, openShop, type Shop } from '../test/shop.js'
import { BackupError } from './backup-error.js'
import { type ByteStream, readAll, streamOf } from './byte-stream.js'
import type { Cipher } from './cipher/cipher.js'
import type { Driver, RestoreSource } from './driver/driver.js'
import { withoutDatabase } from './driver/without-database.js'
import type { Holdfast } from './facade/holdfast.js'
import { createHoldfast } from './holdfast.js'
import { createRunContext } from './run-context.js'
import type { Storage } from './storage/storage.js'
import { createFakeClock } from './testing/fake-clock.js'
import { type MemoryDatabase, memoryDriver } from './testing/memory-driver.js'

const ctx = createRunContext()
let world: Shop
let shop: MemoryDatabase
let disk: Storage
let offsite: Storage
let holdfast: Holdfast

beforeEach(async () => {
  world = await openShop()
  ;({ database: shop, disk, offsite, holdfast } = world)
})

describe('restore', () => {
  it("brings back what was backed up, into the named target or the job's own", async () => {
    const before = shop.content
    await holdfast.backup()
    const target: MemoryDatabase = { content: undefined }
    const done = await holdfast.restore('latest', { into: memoryDriver({ name: 'copy', database: target }) })
    expect(done).toMatchObject({ created: true, mode: 'create', storage: 'disk', target: 'memory:copy' })
    expect(target.content).toEqual(before)
    shop.content = undefined
    await holdfast.restore('shop')
    expect(shop.content).toEqual(before)
  })

  it('does not touch a target that holds data unless told what to do with it', async () => {
    await holdfast.backup()
    const before = shop.content
    await expect(holdfast.restore('latest')).rejects.toMatchObject({
      code: 'target-not-empty',
      hint: expect.stringContaining('clean (drop'),
    })
    expect(shop.content).toBe(before)
    expect((await holdfast.restore('latest', { mode: 'clean' })).mode).toBe('clean')
  })

  it('goes on to the next copy when one is damaged, in every mode', async () => {
    const { backup } = await holdfast.backup()
    const before = shop.content
    await flip(disk, backup.manifest.parts[0]?.key ?? '', 100)
    for (const mode of ['clean', 'append'] as const) {
      if (mode === 'append') shop.content = new Uint8Array()
      expect((await holdfast.restore('latest', { mode })).storage).toBe('offsite')
      expect(shop.content).toEqual(before)
    }
    await flip(offsite, backup.manifest.parts[0]?.key ?? '', 100)
    await expect(holdfast.restore('latest', { mode: 'clean' })).rejects.toMatchObject({ code: 'corrupt' })
    expect(shop.content).toEqual(before)
  })

  it('names tables that the backup does not hold, before anything is touched, with those that are near', async () => {
    const { backup } = await holdfast.backup()
    const inDump = ['orders', 'order_lines', 'odd.name', 'stock'].map((name) => ({
      kind: 'table',
      schema: 'app',
      name,
    }))
    const asked: RestoreSource[] = []
    const target: MemoryDatabase = { content: undefined }
    const into: Driver = {
      ...memoryDriver({ name: 'copy', database: target }),
      async contents(from) {
        asked.push(from)
        return [...inDump, { kind: 'index', schema: 'app', name: 'by_note' }]
      },
      restore: () => Promise.reject(new Error('not to be reached')),
    }
    const problemsOf = async (...tables: string[]) =>
      (await holdfast.previewRestore(backup.id, { into, tables })).problems
    expect(await problemsOf('orders', 'app.orders', 'app.odd.name')).toEqual([])
    expect(await problemsOf('ordres', 'nosuch', 'by_note')).toEqual([
      { message: 'The backup holds no table "ordres"', hint: 'Near to it: app.orders.' },
      {
        message: expect.stringContaining('"nosuch"'),
        hint: expect.stringMatching(/^There are: app\.orders, .*stock\.$/),
      },
      { message: expect.stringContaining('"by_note"'), hint: expect.any(String) },
    ])
    await expect(holdfast.restore(backup.id, { into, tables: ['app.nosuch'] })).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringContaining('"app.nosuch"'),
    })
    expect(target.content).toBeUndefined()
    const looks = asked.length
    expect(await problemsOf('bytes', 'shop.bytes')).toEqual([]) // counted when the backup was taken
    expect(asked).toHaveLength(looks)
    const folding: Driver = { ...into, isChosen: (table, { name }) => table.toLowerCase() === name }
    expect((await holdfast.previewRestore(backup.id, { into: folding, tables: ['ORDERS'] })).problems).toEqual([])
    const hollow: Driver = { ...into, contents: async () => [] }
    expect((await holdfast.previewRestore(backup.id, { into: hollow, tables: ['x'] })).problems).toMatchObject([
      { hint: 'It holds no tables at all.' },
    ])
    const many: Driver = {
      ...into,
      contents: async () => Array.from({ length: 12 }, (_, i) => ({ kind: 'table', name: `table_number_${i}` })),
    }
    expect((await holdfast.previewRestore(backup.id, { into: many, tables: ['x'] })).problems).toMatchObject([
      { hint: expect.stringMatching(/table_number_9 and 2 more\.$/) },
    ])
  })

  it('says once what is wrong with a storage or a copy, however often it looks', async () => {
    const { backup } = await holdfast.backup()
    const target: MemoryDatabase = { content: undefined }
    const into: Driver = {
      ...memoryDriver({ name: 'copy', database: target }),
      preflight: async (from) => {
        await readAll(from.open('dump', ctx))
        return { problems: [], warnings: ['mind the gap'] }
      },
    }
    const said = (): string[] => world.lines.splice(0).filter((line) => line.includes('copy'))
    await flip(disk, backup.manifest.parts[0]?.key ?? '', 100)
    const { warnings } = await holdfast.previewRestore(backup.id, { into })
    expect(warnings).toEqual([expect.stringMatching(/^The copy on disk cannot be used/), 'mind the gap'])
    await holdfast.restore(backup.id, { into })
    expect(said()).toEqual([expect.stringMatching(/^The copy on disk cannot be used/)])
    await offsite.delete(backup.manifest.parts[0]?.key ?? '', ctx)
    target.content = undefined
    await expect(holdfast.previewRestore(backup.id, { into })).rejects.toMatchObject({ code: 'not-found' })
    expect(said()).toEqual([expect.stringMatching(/^The copy on disk cannot be used/)])
  })

  it('refuses a driver whose settings are not there, before anything is read', async () => {
    const problem = new BackupError('config-invalid', { message: 'SHOP_URL is not set' })
    await holdfast.backup()
    const into = withoutDatabase(problem, memoryDriver({ database: shop }))
    await expect(holdfast.restore('latest', { into })).rejects.toBe(problem)
  })

  it('refuses another engine, a missing target and an unknown backup', async () => {
    await holdfast.backup()
    const other = { ...memoryDriver({ database: { content: undefined } }), engine: 'mysql' }
    await expect(holdfast.restore('latest', { into: other })).rejects.toMatchObject({ code: 'restore-refused' })
    await expect(holdfast.restore('ffffffff')).rejects.toMatchObject({ code: 'no-match' })
    const jobless = createHoldfast({ storages: { disk }, jobs: {} })
    await expect(jobless.restore('latest')).rejects.toMatchObject({ code: 'config-invalid' })
  })

  it('finds the damage behind a client that fails first', async () => {
    const before = shop.content
    const { backup } = await holdfast.backup()
    await flip(disk, backup.manifest.parts[0]?.key ?? '', 100)
    const target: MemoryDatabase = { content: undefined }
    const inner = memoryDriver({ database: target })
    const restore: Driver['restore'] = (...given) =>
      inner
        .restore(...given)
        .catch(() => Promise.reject(new BackupError('restore-failed', { message: 'syntax error' })))
    expect(await holdfast.restore('latest', { into: { ...inner, restore } })).toMatchObject({ storage: 'offsite' })
    expect(target.content).toEqual(before)
  })

  it("passes on an error that is not the copy's, also where the copy cannot be looked at then", async () => {
    await holdfast.backup()
    let down = false
    const get: Storage['get'] = (...given) => {
      if (down) throw new BackupError('unavailable', { message: 'no route' })
      return disk.get(...given)
    }
    const failing = async (): Promise<never> => {
      down = true
      throw new BackupError('restore-failed', { message: 'out of memory' })
    }
    const target = { ...memoryDriver({ database: { content: undefined } }), restore: failing }
    await expect(world.on({ disk: { ...disk, get } }).restore('latest', { into: target })).rejects.toMatchObject({
      code: 'restore-failed',
    })
    const restore = async (): Promise<never> =>
      Promise.reject(new BackupError('restore-failed', { message: 'out of memory' }))
    const into = { ...memoryDriver({ database: { content: undefined } }), restore }
    await expect(holdfast.restore('latest', { into })).rejects.toMatchObject({ code: 'restore-failed' })
  })
})

describe('open and copy', () => {
  it('give the bytes as they lie, or as they were dumped', async () => {
    const { backup } = await holdfast.backup()
    const stored = await holdfast.open('latest')
    expect(stored.parts[0]?.fileName).toBe(`${backup.name}.dump.zst`)
    expect((await readAll(stored.parts[0]?.stream ?? streamOf())).length).toBe(backup.storedBytes)
    const plain = await holdfast.open('latest', { content: 'plain' })
    expect(plain.parts[0]?.fileName).toBe(`${backup.name}.dump`)
    expect(await readAll(plain.parts[0]?.stream ?? streamOf())).toEqual(shop.content)
  })

  it('make a further copy of the same bytes', async () => {
    const { backup } = await world.on({ disk }).backup()
    expect(await holdfast.copy('latest', 'offsite')).toEqual({ copied: true })
    expect(await holdfast.copy('latest', 'offsite')).toEqual({ copied: false })
    expect((await holdfast.show(backup.id)).copies.map(({ status }) => status)).toEqual(['complete', 'complete'])
    await expect(holdfast.copy('latest', 'nowhere')).rejects.toMatchObject({ code: 'no-match' })
    const ontoItself = { code: 'no-match', hint: expect.stringContaining('from another storage') }
    await expect(world.on({ disk }).copy('latest', 'disk')).rejects.toMatchObject(ontoItself)
  })

  it('write a damaged copy again, whatever its size, and forget that it was', async () => {
    const { backup } = await holdfast.backup()
    const key = backup.manifest.parts[0]?.key ?? ''
    const good = await readAll(disk.get(key, undefined, ctx))
    const damages = [() => flip(offsite, key, 50), () => offsite.put(key, streamOf(good.subarray(0, 9)), {}, ctx)]
    for (const damage of damages) {
      await damage()
      await holdfast.verify(backup.id)
      expect(await holdfast.copy(backup.id, 'offsite')).toEqual({ copied: true })
      expect((await readAll(offsite.get(key, undefined, ctx))).equals(good)).toBe(true)
      expect((await holdfast.show(backup.id)).copies.map(({ status }) => status)).toEqual(['complete', 'complete'])
    }
  })

  it('do not copy what is damaged', async () => {
    const { backup } = await world.on({ disk }).backup()
    await flip(disk, backup.manifest.parts[0]?.key ?? '', 50)
    await expect(holdfast.copy('latest', 'offsite')).rejects.toMatchObject({ code: 'corrupt' })
    expect(await offsite.stat(backup.manifest.parts[0]?.key ?? '', ctx)).toBeUndefined()
  })
})

describe('close', () => {
  it('closes every storage that can be', async () => {
    let closed = 0
    {
      await using held = world.on({ disk: { ...disk, close: async () => void closed++ }, offsite })
      expect(held.storages).toEqual(['disk', 'offsite'])
      expect(held.jobs).toEqual(['shop'])
    }
    expect(closed).toBe(1)
  })
})

describe('an encrypted backup', () => {
  const cipher: Cipher = {
    id: 'invert',
    extension: '.inv',
    decryptCommand: 'invert -d',
    keyIds: ['key-1'],
    canDecrypt: true,
    encrypt: inverted,
    decrypt: inverted,
  }

  async function* inverted(stream: ByteStream): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) yield chunk.map((byte) => byte ^ 0xff)
  }

  function encrypting(encrypt: Cipher): Holdfast {
    return createHoldfast({
      storages: { disk },
      jobs: { shop: { source: memoryDriver({ name: 'shop', database: shop }), storages: ['disk'], encrypt } },
    })
  }

  it('is told from one in plain that stands in its place', async () => {
    const plain = createHoldfast({
      storages: { disk },
      jobs: { shop: { source: memoryDriver({ name: 'shop', database: shop }), storages: ['disk'] } },
    })
    await plain.backup()
    const warning = expect.stringContaining('is not encrypted, though its job encrypts')
    expect((await encrypting(cipher).previewRestore('latest', { mode: 'clean' })).warnings).toEqual([warning])
    expect((await encrypting(cipher).restore('latest', { mode: 'clean' })).warnings).toEqual([warning])
    expect((await plain.restore('latest', { mode: 'clean' })).warnings).toEqual([])
  })

  it('is restored and verified with the key, and its stored bytes without', async () => {
    const { backup } = await encrypting(cipher).backup()
    expect(backup.manifest.recover).toMatch(/^invert -d < shop_.*\.dump\.zst\.inv \| zstd -dc \| cat$/)
    const before = shop.content
    shop.content = undefined
    await encrypting(cipher).restore('latest')
    expect(shop.content).toEqual(before)
    expect(await encrypting(cipher).verify('latest')).toMatchObject({ copies: [{ parts: [{ name: 'dump' }] }] })
    const writeOnly = encrypting({ ...cipher, canDecrypt: false })
    expect(await writeOnly.verify('latest')).toMatchObject({ status: 'intact', copies: [{ parts: [] }] })
    shop.content = undefined
    await expect(writeOnly.restore('latest')).rejects.toMatchObject({ code: 'wrong-key' })
    expect(shop.content).toBeUndefined()
    await flip(disk, backup.manifest.parts[0]?.key ?? '', 77)
    expect((await writeOnly.verify('latest')).status).toBe('corrupt')
  })
})

describe('a clock that was set back', () => {
  it('is told when a backup is taken that is not the latest, and when one of the future is restored', async () => {
    const { backup: ahead } = await holdfast.backup()
    const behind = createFakeClock(new Date(ahead.startedAt.getTime() - 86_400_000))
    const source = memoryDriver({ name: 'shop', database: shop })
    const jobs = { shop: { source, storages: ['disk'] } }
    const now = createHoldfast({ storages: { disk }, jobs, logger: world.logger, clock: behind })
    const { backup, status, warnings } = await now.backup()
    const iso = ahead.startedAt.toISOString().replace(/\.\d+/, '.000')
    expect([status, warnings]).toEqual(['complete_with_warnings', [expect.stringContaining(`backup of ${iso}`)]])
    for (const selector of ['latest', 'shop']) {
      const doubtful = expect.arrayContaining([expect.stringMatching(/a time that has not come/)])
      const restored = await now.restore(selector, { mode: 'clean' })
      expect([restored.backup.id, restored.warnings]).toEqual([ahead.id, doubtful])
      expect((await now.previewRestore(selector, { mode: 'clean' })).warnings).toEqual(doubtful)
    }
    for (const selector of [backup, ahead].flatMap(({ id, name }) => [id, name])) {
      expect((await now.restore(selector, { mode: 'clean' })).warnings).toEqual([])
    }
  })

  it('is told, too, when a storage that may hold a newer one was away', async () => {
    await holdfast.backup()
    const away: Storage = {
      ...offsite,
      list() {
        throw new BackupError('unavailable', { message: 'no route' })
      },
    }
    const source = memoryDriver({ name: 'shop', database: shop })
    const half = createHoldfast({ storages: { disk, offsite: away }, jobs: { shop: { source, storages: ['disk'] } } })
    const { warnings } = await half.restore('latest', { mode: 'clean' })
    expect(warnings).toEqual([expect.stringContaining('offsite cannot be read, and may hold a newer backup: no route')])
  })

  it('goes to no database by guess: with several jobs, the age of a backup alone names none', async () => {
    const [shopSource, crm] = [
      memoryDriver({ name: 'shop', database: shop }),
      memoryDriver({ name: 'crm', database: { content: shop.content } }),
    ]
    const storages = ['disk']
    const both = createHoldfast({
      storages: { disk },
      jobs: { shop: { source: shopSource, storages }, crm: { source: crm, storages } },
    })
    await both.backup('shop')
    const unsaid = { code: 'no-match', message: 'There are 2 jobs: say which' }
    for (const selector of ['latest', 'latest~1']) {
      await expect(both.restore(selector, { mode: 'clean' })).rejects.toMatchObject(unsaid)
      await expect(both.previewRestore(selector, { mode: 'clean' })).rejects.toMatchObject(unsaid)
    }
    await expect(both.restore('', { mode: 'clean' })).rejects.toMatchObject({ code: 'no-match' })
    expect((await both.restore('shop', { mode: 'clean' })).backup.job).toBe('shop')
    expect((await both.restore('latest', { mode: 'clean', job: 'shop' })).backup.job).toBe('shop')
    expect((await both.restore('latest', { mode: 'clean', into: shopSource })).backup.job).toBe('shop')
  })
})

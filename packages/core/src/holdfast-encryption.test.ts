import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { readAll, streamOf } from './byte-stream.js'
import { age } from './cipher/age.js'
import { generateAgeKey } from './cipher/age-key.js'
import type { Cipher } from './cipher/cipher.js'
import { defineConfig, type HoldfastConfig } from './config.js'
import type { Holdfast } from './facade/holdfast.js'
import { createHoldfast } from './holdfast.js'
import { createRunContext } from './run-context.js'
import type { Storage } from './storage/storage.js'
import { createFakeClock } from './testing/fake-clock.js'
import { type MemoryDatabase, memoryDriver } from './testing/memory-driver.js'
import { memoryStorage } from './testing/memory-storage.js'
import { toyCipher } from './testing/toy-cipher.js'

const ctx = createRunContext()
const ours = await generateAgeKey()
const theirs = await generateAgeKey()
const writes = age({ recipients: [ours.recipient] })
const reads = age({ identities: ours.identity })
const stranger = age({ identities: theirs.identity })

const shop: MemoryDatabase = { content: undefined }
let disk: Storage
let offsite: Storage

beforeEach(() => {
  shop.content = randomBytes(300_000)
  disk = memoryStorage({ name: 'disk' })
  offsite = { ...memoryStorage({ name: 'offsite' }), isLocal: false }
})

function configOf(encrypt: Cipher | undefined, ciphers: readonly Cipher[] = []): HoldfastConfig {
  const source = memoryDriver({ name: 'shop', database: shop })
  const job = { source, storages: ['disk', 'offsite'], ...(encrypt && { encrypt }) }
  return { storages: { disk, offsite }, jobs: { shop: job }, ciphers }
}

const open = (...given: Parameters<typeof configOf>): Holdfast => createHoldfast(configOf(...given))

async function flip(storage: Storage, key: string, at: number): Promise<void> {
  const bytes = await readAll(storage.get(key, undefined, ctx))
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  await storage.put(key, streamOf(bytes), {}, ctx)
}

it('a backup in plain is warned of where the one before is encrypted, once', async () => {
  const clock = createFakeClock()
  const backUp = async (encrypt?: Cipher): Promise<readonly string[]> => {
    await clock.advance(60_000) // names tell one second from the next
    return (await createHoldfast({ ...configOf(encrypt), clock }).backup()).warnings
  }
  expect(await backUp(writes)).toEqual([])
  expect(await backUp()).toEqual([expect.stringContaining('not encrypted, and the one before it is')])
  expect(await backUp()).toEqual([])
  expect(await backUp(writes)).toEqual([])
})

describe('a host with recipients alone', () => {
  it('backs up and verifies stored bytes, and cannot read; one with an identity can', async () => {
    const { backup } = await open(writes).backup()
    expect(backup.manifest.parts[0]).toMatchObject({
      key: expect.stringMatching(/\.dump\.zst\.age$/),
      cipher: { id: 'age', keyIds: [ours.recipient] },
    })
    expect(backup.manifest.recover).toMatch(/^age -d -i key\.txt < \S+\.age \| zstd -dc \| /)
    const before = shop.content
    shop.content = undefined
    expect(await open(writes).verify('latest')).toMatchObject({ status: 'intact', copies: [{ parts: [] }, {}] })
    await expect(open(writes).restore('latest')).rejects.toMatchObject({ code: 'wrong-key', hint: /--identity/ })
    await expect(open(writes).open('latest', { content: 'plain' })).rejects.toMatchObject({ code: 'wrong-key' })
    expect(shop.content).toBeUndefined()

    expect(await open(writes, [reads]).verify('latest')).toMatchObject({ copies: [{ parts: [{ name: 'dump' }] }, {}] })
    await open(writes, [reads]).restore('latest')
    expect(shop.content).toEqual(before)
  })

  it('reads what its job wrote under another cipher before, with the keys that it is given', async () => {
    await open(toyCipher()).backup()
    const before = shop.content
    shop.content = undefined
    await expect(open(writes, [reads]).restore('latest')).rejects.toMatchObject({ code: 'wrong-key' })
    await open(writes, [reads, toyCipher()]).restore('latest')
    expect(shop.content).toEqual(before)
  })
})

describe('a key that does not fit', () => {
  it('is noticed before the target is touched', async () => {
    await open(writes).backup()
    const before = randomBytes(10)
    shop.content = before
    for (const mode of ['clean', 'append'] as const) {
      await expect(open(writes, [stranger]).restore('latest', { mode })).rejects.toMatchObject({ code: 'wrong-key' })
    }
    expect(shop.content).toBe(before)
    await expect(open(writes, [stranger]).verify('latest')).resolves.toMatchObject({ status: 'unreadable' })
  })

  it('is told from a copy whose beginning is damaged', async () => {
    const { backup } = await open(writes).backup()
    const key = backup.manifest.parts[0]?.key ?? ''
    const body = (await readAll(disk.get(key, undefined, ctx))).indexOf('\n', 60) + 5
    await flip(disk, key, body)
    const before = shop.content
    shop.content = undefined
    expect(await open(writes, [reads]).verify('latest')).toMatchObject({
      copies: [
        { storage: 'disk', status: 'corrupt' },
        { storage: 'offsite', status: 'intact' },
      ],
    })
    expect(await open(writes, [reads]).restore('latest')).toMatchObject({ storage: 'offsite' })
    expect(shop.content).toEqual(before)
  })
})

describe('defineConfig', () => {
  it('refuses what cannot work', () => {
    const config = (encrypt: unknown, more: object = {}): HoldfastConfig => {
      const { jobs, ...rest } = configOf(undefined)
      return { ...rest, jobs: { shop: { ...jobs.shop, encrypt, ...more } } } as unknown as HoldfastConfig
    }
    expect(() => defineConfig(config(reads))).toThrow(/jobs\.shop\.encrypt: has nobody to encrypt for/)
    expect(() => defineConfig(config('age'))).toThrow(/jobs\.shop\.encrypt: must be a cipher/)
    expect(() => defineConfig({ ...configOf(writes), ciphers: ['age'] as never })).toThrow(
      /ciphers\.0: must be a cipher/,
    )
    expect(() => defineConfig(config(writes, { verify: { testRestore: 'monthly' } }))).toThrow(
      /jobs\.shop\.verify\.testRestore: needs a key that reads/,
    )
    expect(() => defineConfig(config(writes))).not.toThrow()
  })
})

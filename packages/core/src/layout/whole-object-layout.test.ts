import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BackupError } from '../backup-error.js'
import { type ByteStream, readAll, streamOf } from '../byte-stream.js'
import type { Cipher } from '../cipher/cipher.js'
import type { Codec } from '../codec/codec.js'
import { none } from '../codec/none.js'
import { parseCompression } from '../codec/parse-compression.js'
import { zstd } from '../codec/zstd.js'
import type { DumpPart, RestoreSource } from '../driver/driver.js'
import { childOutput } from '../driver/program-output.js'
import { createRunContext, type ProgressEvent, type RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { createFakeClock } from '../testing/fake-clock.js'
import { memoryStorage } from '../testing/memory-storage.js'
import type { WritePlan, WrittenData } from './layout.js'
import type { Manifest } from './manifest.js'
import { wholeObjectLayout } from './whole-object-layout.js'

const ctx = createRunContext()
const base = 'shop/2026/03/shop_manual_20260309_040506_456789ab'
const content = randomBytes(150_000)

/** Flips every bit: enough to tell which side of it a byte is on. */
const invert: Cipher = {
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

function streamPart(name: string, body: ByteStream, trailer?: string): DumpPart {
  return {
    name,
    mediaType: 'text/plain',
    ...(trailer !== undefined && { trailer }),
    take: () => ({ kind: 'stream', body }),
  }
}

/** A dump program: prints 2 MB, then ends with this code. */
function programPart(exitCode: number, at: RunContext = ctx): DumpPart {
  const script = `head -c 2000000 /dev/zero | tr '\\0' x; exit ${exitCode}`
  const spec = { name: 'dumper', command: '/bin/sh', args: ['-c', script] }
  return {
    name: 'dump',
    mediaType: 'text/plain',
    expectedBytes: 2_000_000,
    take: () => ({ kind: 'process', output: childOutput(spec, at) }),
  }
}

function write(
  parts: readonly DumpPart[],
  storages: readonly Storage[],
  plan: Partial<WritePlan> = {},
  at = ctx,
): Promise<WrittenData> {
  const whole = { base, storages, minCopies: 1, codec: none() as Codec, stallTimeoutMs: 60_000, metadata: {}, ...plan }
  return wholeObjectLayout.write(each(parts), whole, at)
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}

function read(data: Pick<WrittenData, 'parts'>, storage: Storage, cipher?: Cipher): RestoreSource {
  return wholeObjectLayout.read({ id: 'x', parts: data.parts } as Manifest, { storage, ...(cipher && { cipher }) })
}

async function keysOn(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list('', ctx)) keys.push(key)
  return keys.sort()
}

describe('a part', () => {
  it.each<[string, Codec]>([
    ['joined to the zstd program by descriptor', zstd()],
    ['through this process', zstd({ program: false })],
    ['uncompressed', none()],
    ['as gzip', parseCompression('gzip')],
  ])('of a dump program comes back as it was, %s', async (_, codec) => {
    const storage = memoryStorage()
    const events: ProgressEvent[] = []
    const data = await write(
      [programPart(0)],
      [storage],
      { codec },
      createRunContext({ report: (event) => events.push(event) }),
    )
    const plain = await readAll(read(data, storage).open('dump', ctx))
    expect(plain.equals(Buffer.alloc(2_000_000, 'x'))).toBe(true)
    expect(events.at(-1)).toMatchObject({
      type: 'bytes',
      storedBytes: data.parts[0]?.storedBytes,
      totalPlainBytes: 2_000_000,
    })
    expect(data.parts[0]).toMatchObject({
      codec: codec.id,
      ...(codec.compressProcess ? {} : { plainBytes: 2_000_000 }),
    })
  })

  it.each<[string, Codec]>([
    ['joined to the zstd program by descriptor', zstd()],
    ['through this process', zstd({ program: false })],
  ])('of a dump program that fails after its output is not published, %s', async (_, codec) => {
    const storage = memoryStorage()
    await expect(write([programPart(3)], [storage], { codec })).rejects.toMatchObject({ code: 'dump-failed' })
    expect(await keysOn(storage)).toEqual([])
  })

  it('is encrypted after it is compressed, and says for whom', async () => {
    const storage = memoryStorage()
    const data = await write([streamPart('dump', streamOf(content))], [storage], { codec: zstd(), cipher: invert })
    expect(data.parts[0]).toMatchObject({ key: `${base}.dump.zst.inv`, cipher: { id: 'invert', keyIds: ['key-1'] } })
    expect(await readAll(read(data, storage, invert).open('dump', ctx))).toEqual(content)
    for (const cipher of [undefined, { ...invert, canDecrypt: false }, { ...invert, id: 'other' }]) {
      expect(() => read(data, storage, cipher).open('dump', ctx)).toThrow(
        expect.objectContaining({ code: 'wrong-key' }),
      )
    }
  })

  it('that a backup does not have is no part', async () => {
    const data = await write([streamPart('dump', streamOf(content))], [memoryStorage()])
    expect(() => read(data, memoryStorage()).open('globals.sql', ctx)).toThrow(
      expect.objectContaining({ code: 'no-match' }),
    )
  })
})

describe('several parts', () => {
  it('on a storage that fails at the second leave nothing of the first there', async () => {
    const good = memoryStorage({ name: 'good' })
    const inner = memoryStorage({ name: 'bad' })
    const bad: Storage = {
      ...inner,
      put: (key, ...rest) =>
        key.includes('globals')
          ? Promise.reject(new BackupError('storage-full', { message: 'no space' }))
          : inner.put(key, ...rest),
    }
    const parts = [
      streamPart('dump', streamOf(content)),
      streamPart('globals.sql', streamOf(content)),
      streamPart('rest', streamOf(content)),
    ]
    const data = await write(parts, [good, bad])
    expect(data.copies.map(({ status }) => status)).toEqual(['complete', 'failed'])
    expect(await keysOn(good)).toHaveLength(3)
    expect(await keysOn(inner)).toEqual([])
  })

  it('whose keys are taken fail, and what was there stays', async () => {
    const storage = memoryStorage()
    await storage.put(`${base}.dump`, streamOf(Buffer.from('older')), {}, ctx)
    await expect(write([streamPart('dump', streamOf(content))], [storage])).rejects.toMatchObject({
      code: 'too-few-copies',
      retryable: false,
    })
    expect((await readAll(storage.get(`${base}.dump`, undefined, ctx))).toString()).toBe('older')
  })
})

describe('a copy that is taken whole and never finished', () => {
  it('is given up in the end, whatever its storage does, and holds up no other', async () => {
    const clock = createFakeClock()
    const [good, inner] = [memoryStorage({ name: 'good' }), memoryStorage({ name: 'hung' })]
    const hung: Storage = {
      ...inner,
      async put(_key, body) {
        for await (const _ of body);
        return new Promise(() => {}) // as a sync on a file system that is gone
      },
    }
    const plan = { stallTimeoutMs: 1_000 }
    const writing = write([streamPart('dump', streamOf(content))], [good, hung], plan, createRunContext({ clock }))
    for (let step = 0; step < 12; step++) await clock.advance(1_000)
    const { copies } = await writing
    expect(copies).toMatchObject([
      { status: 'complete' },
      { status: 'failed', error: { code: 'stalled', message: expect.stringContaining('did not finish within 10 s') } },
    ])
    expect(clock.sleepers).toBe(0)
  })
})

describe('reading', () => {
  it('notices 1,000 random flips and 1,000 random cuts', { timeout: 60_000 }, async () => {
    const storage = memoryStorage()
    const small = randomBytes(9_000).toString('hex')
    const data = await write([streamPart('dump', streamOf(Buffer.from(small)))], [storage], { codec: zstd() })
    const key = `${base}.dump.zst`
    const stored = await readAll(storage.get(key, undefined, ctx))
    const refuses = async (damaged: Buffer): Promise<void> => {
      await storage.put(key, streamOf(damaged), {}, ctx)
      await expect(readAll(read(data, storage).open('dump', ctx))).rejects.toMatchObject({ code: 'corrupt' })
    }
    const offset = fc.nat(stored.length - 1)
    const flip = fc.asyncProperty(offset, fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      await refuses(Buffer.from(stored.map((byte, index) => (index === at ? byte ^ mask : byte))))
    })
    await fc.assert(flip, { numRuns: 1_000 })
    await fc.assert(
      fc.asyncProperty(offset, (length) => refuses(stored.subarray(0, length))),
      { numRuns: 1_000 },
    )
  })

  it('throws when the plain bytes are not those that were dumped, or lack their end', async () => {
    const storage = memoryStorage()
    const data = await write([streamPart('dump', streamOf(content))], [storage])
    const claims = [{ plainSha256: '0'.repeat(64) }, { plainBytes: 1 }, { trailer: '-- complete' }]
    for (const claim of claims) {
      const parts = data.parts.map((part) => ({ ...part, ...claim }))
      await expect(readAll(read({ parts }, storage).open('dump', ctx))).rejects.toMatchObject({ code: 'corrupt' })
    }
  })

  it('gives out no more than was dumped, whatever it decompresses to', async () => {
    const storage = memoryStorage()
    const bomb = streamOf(...Array.from({ length: 64 }, () => Buffer.alloc(1_000_000)))
    const data = await write([streamPart('dump', bomb)], [storage], { codec: zstd({ program: false }) })
    const parts = data.parts.map((part) => ({ ...part, plainBytes: 2_000_000 }))
    let given = 0
    const drained = async (): Promise<void> => {
      for await (const chunk of read({ parts }, storage).open('dump', ctx)) given += chunk.length
    }
    await expect(drained()).rejects.toMatchObject({ code: 'corrupt' })
    expect(given).toBeLessThanOrEqual(2_000_000)
  })

  it('accepts a dump whose trailer stands near its end', async () => {
    const storage = memoryStorage()
    const text = Buffer.from(`${'x'.repeat(5_000)}\n-- complete\n\n\\unrestrict y\n`)
    const data = await write([streamPart('sql', streamOf(text), '-- complete')], [storage])
    expect(await readAll(read(data, storage).open('sql', ctx))).toEqual(text)
  })
})

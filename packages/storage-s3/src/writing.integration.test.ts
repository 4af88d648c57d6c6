import { type ByteStream, createRunContext, MiB, readAll, streamOf } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { ctx, failure, large, listAll, small, useFaultyBucket } from '../test/faulty-bucket.js'

const bucket = useFaultyBucket()
const ignorant = useFaultyBucket({ ignoreConditions: true })
const open = bucket.open

describe('exclusive puts', () => {
  for (const [name, content, last] of [
    ['short', small, 'PutObject'],
    ['long', large, 'CompleteMultipartUpload'],
  ] as const) {
    it(`a rival in the very last moment of a ${name} one is noticed where conditions are honoured`, async () => {
      const rival = Buffer.from('the rival')
      const key = `rival-${name}`
      bucket.proxy.before(async ({ operation }) => {
        if (operation === last) await bucket.direct().put(key, streamOf(rival), {}, ctx)
      })
      const error = await failure(open().put(key, streamOf(content), { ifAbsent: true }, ctx))
      expect(error.code).toBe('already-exists')
      expect((await readAll(open().get(key, undefined, ctx))).equals(rival)).toBe(true)
      expect(await bucket.server.openUploads('backups')).toEqual([])
    })
  }

  it('a rival during a long upload is noticed where conditions are ignored', async () => {
    const rival = Buffer.from('the rival')
    ignorant.proxy.before(async ({ operation }) => {
      if (operation === 'UploadPart') await ignorant.direct().put('rival', streamOf(rival), {}, ctx)
    })
    const storage = ignorant.open()
    const error = await failure(storage.put('rival', streamOf(large), { ifAbsent: true }, ctx))
    expect(error.code).toBe('already-exists')
    expect((await readAll(storage.get('rival', undefined, ctx))).equals(rival)).toBe(true)
    expect(await ignorant.server.openUploads('backups')).toEqual([])
  })

  it('a service that refuses the condition itself is asked without it, from then on', async () => {
    const storage = open({ attempts: 1 })
    bucket.proxy.inject({ on: 'PutObject', fault: { kind: 'answer', status: 501, code: 'NotImplemented' } })
    await storage.put('unconditional-1', streamOf(small), { ifAbsent: true }, ctx)
    await storage.put('unconditional-2', streamOf(small), { ifAbsent: true }, ctx)
    const puts = bucket.proxy.seen.filter((seen) => seen.operation === 'PutObject')
    expect(puts.map((seen) => seen.headers['if-none-match'])).toEqual(['*', undefined, undefined])
    const again = await failure(storage.put('unconditional-1', streamOf(small), { ifAbsent: true }, ctx))
    expect(again.code).toBe('already-exists')
  })
})

describe('what is said of an object', () => {
  it('class, encryption, tags and metadata go with short and long objects', async () => {
    const storage = open({ storageClass: 'STANDARD_IA', sse: 'aws:kms', kmsKeyId: 'k', tags: { team: 'a&b' } })
    const metadata = { database: 'shop', 'backup-id': '0198', other: 'x' }
    await storage.put('short', streamOf(small), { metadata }, ctx)
    await storage.put('long', streamOf(large), { metadata }, ctx)
    const made = bucket.proxy.seen.filter(({ operation }) => ['PutObject', 'CreateMultipartUpload'].includes(operation))
    expect(made).toHaveLength(2)
    for (const { headers } of made) {
      expect(headers).toMatchObject({
        'x-amz-storage-class': 'STANDARD_IA',
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': 'k',
        'x-amz-tagging': 'database=shop&backup-id=0198&team=a%26b',
        'x-amz-meta-database': 'shop',
        'x-amz-meta-other': 'x',
      })
    }
    const checksums = bucket.proxy.seen
      .flatMap((seen) => Object.keys(seen.headers))
      .filter((name) => name.includes('checksum'))
    expect(checksums).toEqual([])
  })

  it('AWS gets the checksums that the SDK adds by default', async () => {
    process.env.AWS_ENDPOINT_URL_S3 = bucket.proxy.endpoint
    try {
      const storage = open({ endpoint: undefined, pathStyle: true })
      await storage.put('checked-short', streamOf(small), {}, ctx)
      await storage.put('checked-long', streamOf(large), {}, ctx)
      expect((await readAll(storage.get('checked-long', undefined, ctx))).equals(large)).toBe(true)
    } finally {
      delete process.env.AWS_ENDPOINT_URL_S3
    }
    const carriers = bucket.proxy.seen.filter(({ headers }) => headers['x-amz-checksum-crc32'])
    expect(new Set(carriers.map((seen) => seen.operation))).toEqual(new Set(['PutObject', 'UploadPart']))
    const created = bucket.proxy.seen.find((seen) => seen.operation === 'CreateMultipartUpload')
    expect(created?.headers['x-amz-checksum-algorithm']).toBe('CRC32')
  })

  it('a session token goes along', async () => {
    await listAll(open({ sessionToken: 'token' }))
    expect(bucket.proxy.seen[0]?.headers['x-amz-security-token']).toBe('token')
  })
})

describe('sweepUnfinished', () => {
  async function leaveUpload(key: string, prefix: string): Promise<void> {
    bucket.proxy.inject({
      on: 'AbortMultipartUpload',
      fault: { kind: 'answer', status: 405, code: 'MethodNotAllowed' },
    })
    const partSent = Promise.withResolvers<void>()
    bucket.proxy.before(({ operation }) => {
      if (operation === 'UploadPart') partSent.resolve()
    })
    async function* body(): ByteStream {
      yield large
      await partSent.promise
      throw new Error('killed')
    }
    await open({ prefix, partSize: 5 * MiB, queue: 1 })
      .put(key, body(), {}, ctx)
      .catch(() => {})
    bucket.proxy.clear()
  }
  const later = (): Date => new Date(Date.now() + 60_000)
  const prefixes = ['']

  it('aborts what is old, under its own prefix', async () => {
    await leaveUpload('shop/2026/11/a', 'ours')
    await leaveUpload('shop/2026/11/b', 'ours/deeper')
    await leaveUpload('shop/2026/11/c', 'theirs')
    const storage = open({ prefix: 'ours' })
    expect(await storage.sweepUnfinished?.({ before: new Date(Date.now() - 60_000), prefixes }, ctx)).toBe(0)
    expect(await storage.sweepUnfinished?.({ before: later(), prefixes }, ctx)).toBe(2)
    expect(await storage.sweepUnfinished?.({ before: later(), prefixes }, ctx)).toBe(0)
    expect(await bucket.server.openUploads('backups')).toHaveLength(1)
    expect(await open({ prefix: 'theirs' }).sweepUnfinished?.({ before: later(), prefixes }, ctx)).toBe(1)
  })

  it('leaves the uploads of other jobs and other programs under the same prefix alone', async () => {
    for (const key of ['shop/2026/11/a', 'shop-eu/2026/11/b', 'holiday-video.mp4']) await leaveUpload(key, 'shared')
    const storage = open({ prefix: 'shared' })
    expect(await storage.sweepUnfinished?.({ before: later(), prefixes: [] }, ctx)).toBe(0)
    expect(await storage.sweepUnfinished?.({ before: later(), prefixes: ['shop/', 'shop/2026/'] }, ctx)).toBe(1)
    expect(await storage.sweepUnfinished?.({ before: later(), prefixes: ['shop/', 'blog/'] }, ctx)).toBe(0)
    expect(await storage.sweepUnfinished?.({ before: later(), prefixes }, ctx)).toBe(2)
  })

  it('leaves keys that are not of its form alone in a bucket without prefix', async () => {
    await leaveUpload('shop/2026/11/shop_daily.dump', '')
    await leaveUpload('holiday-video.mp4', '')
    expect(await open().sweepUnfinished?.({ before: later(), prefixes }, ctx)).toBe(1)
    expect(await bucket.server.openUploads('backups')).toHaveLength(1)
  })

  it('is no failure where uploads cannot be listed', async () => {
    const warnings: string[] = []
    const log = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line), error() {} }
    bucket.proxy.inject({ on: 'ListMultipartUploads', fault: { kind: 'answer', status: 501, code: 'NotImplemented' } })
    expect(
      await open({ attempts: 1 }).sweepUnfinished?.({ before: later(), prefixes }, createRunContext({ log })),
    ).toBe(0)
    expect(warnings).toEqual([expect.stringContaining('cannot list unfinished uploads')])
  })
})

describe('part sizes that grow', () => {
  it('an object over three part sizes is one object', async () => {
    const content = Buffer.alloc(60 * MiB + 12_345)
    for (let at = 0; at < content.length; at += 4096) content.writeUInt32BE(at, at % (content.length - 4))
    const storage = open({ partSize: 5 * MiB, maxParts: 20, queue: 2 })
    async function* body(): ByteStream {
      for (let at = 0; at < content.length; at += 777_777) yield content.subarray(at, at + 777_777)
    }
    const stored = await storage.put('grown', body(), {}, ctx)
    expect(stored.size).toBe(content.length)
    const parts = bucket.proxy.seen.filter((seen) => seen.operation === 'UploadPart')
    const sizes = parts.map((seen) => [
      Number(new URL(seen.url, 'http://x').searchParams.get('partNumber')),
      Number(seen.headers['content-length']),
    ])
    expect(sizes.sort(([a = 0], [b = 0]) => a - b)).toEqual([
      [1, 5 * MiB],
      [2, 5 * MiB],
      [3, 10 * MiB],
      [4, 10 * MiB],
      [5, 20 * MiB],
      [6, 10 * MiB + 12_345],
    ])
    expect((await readAll(storage.get('grown', undefined, ctx), content.length)).equals(content)).toBe(true)
  })

  it('an end exactly where a stage ends', async () => {
    const storage = open({ partSize: 5 * MiB, maxParts: 20 })
    for (const size of [5 * MiB, 10 * MiB, 30 * MiB, 30 * MiB + 1]) {
      expect((await storage.put(`exact-${size}`, streamOf(Buffer.alloc(size, 'x')), {}, ctx)).size).toBe(size)
    }
    expect(bucket.proxy.count('CompleteMultipartUpload')).toBe(3)
    expect(bucket.proxy.count('PutObject')).toBe(1)
  })
})

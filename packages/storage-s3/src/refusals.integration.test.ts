import {
  BackupError,
  type ByteStream,
  createRunContext,
  isBackupError,
  MiB,
  readAll,
  type Storage,
  streamOf,
} from '@holdfast/core'
import { type Fault, type FaultyProxy, type S3Server, startFaultyProxy, startS3Server } from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type S3Options, s3 } from './index.js'

let server: S3Server
let ignorant: S3Server
let proxy: FaultyProxy
let ignorantProxy: FaultyProxy
beforeAll(async () => {
  server = await startS3Server()
  ignorant = await startS3Server({ ignoreConditions: true })
  for (const each of [server, ignorant]) await each.createBucket('backups')
  proxy = await startFaultyProxy(server.endpoint)
  ignorantProxy = await startFaultyProxy(ignorant.endpoint)
})
afterAll(async () => {
  await proxy?.stop()
  await ignorantProxy?.stop()
  await server?.stop()
  await ignorant?.stop()
})
const opened: Storage[] = []
afterEach(async () => {
  proxy.clear()
  ignorantProxy.clear()
  for (const storage of opened.splice(0)) await storage.close?.()
})

function open(options: Partial<S3Options> = {}): Storage {
  const { accessKeyId, secretAccessKey } = server
  const storage = s3({
    bucket: 'backups',
    endpoint: proxy.endpoint,
    accessKeyId,
    secretAccessKey,
    attempts: 3,
    ...options,
  })
  opened.push(storage)
  return storage
}

const ctx = createRunContext()
const small = Buffer.from('content')
const large = Buffer.alloc(9 * MiB, 'content')

async function failure(work: Promise<unknown>): Promise<BackupError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(BackupError)
  return error as BackupError
}

async function listAll(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const object of storage.list('', ctx)) keys.push(object.key)
  return keys
}

/** Every operation of a storage, each to be refused. */
const operations: Record<string, (storage: Storage) => Promise<unknown>> = {
  'a short put': (storage) => storage.put('key', streamOf(small), {}, ctx),
  'a long put': (storage) => storage.put('key', streamOf(large), {}, ctx),
  'an exclusive put': (storage) => storage.put('key', streamOf(small), { ifAbsent: true }, ctx),
  get: (storage) => readAll(storage.get('key', undefined, ctx)),
  stat: (storage) => storage.stat('key', ctx),
  list: (storage) => listAll(storage),
  delete: (storage) => storage.delete('key', ctx),
  sweep: async (storage) => storage.sweepUnfinished?.(new Date(), ctx),
}

describe('settings that cannot work', () => {
  for (const [name, operation] of Object.entries(operations)) {
    it(`${name} in a bucket that does not exist`, async () => {
      const error = await failure(operation(open({ bucket: 'no-such-bucket' })))
      expect(error).toMatchObject({ code: 'storage-config-invalid', retryable: false })
      expect(error.message).toContain('There is no bucket no-such-bucket at http://127.0.0.1')
    })

    it(`${name} with a wrong access key id`, async () => {
      expect(await failure(operation(open({ accessKeyId: 'WRONG' })))).toMatchObject({ code: 'storage-denied' })
    })

    it(`${name} with a wrong secret access key`, async () => {
      const error = await failure(operation(open({ secretAccessKey: 'a-wrong-canary' })))
      expect(error).toMatchObject({ code: 'storage-denied', retryable: false })
      expect(JSON.stringify([error.message, error.hint, String(error.cause)])).not.toContain('canary')
    })
  }

  it('names the key that is wrong', async () => {
    expect((await failure(listAll(open({ accessKeyId: 'WRONG' })))).message).toContain('access key id')
    expect((await failure(listAll(open({ secretAccessKey: 'wrong' })))).message).toContain('secret access key')
  })

  it('nobody listens there', async () => {
    const error = await failure(listAll(open({ endpoint: 'http://127.0.0.1:1', attempts: 2 })))
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('a certificate file that is not there', async () => {
    const error = await failure(listAll(open({ caFile: '/nowhere/ca.pem' })))
    expect(error).toMatchObject({ code: 'storage-config-invalid' })
    expect(error.message).toContain('/nowhere/ca.pem')
  })
})

describe('refusals have their own message', () => {
  const always = (fault: Fault): void => {
    proxy.inject({ on: '*', fault, times: Number.POSITIVE_INFINITY })
  }

  it('clock skew names both clocks', async () => {
    const date = 'Tue, 01 Jan 2030 00:00:00 GMT'
    always({ kind: 'answer', status: 403, code: 'RequestTimeTooSkewed', headers: { date } })
    const error = await failure(listAll(open()))
    expect(error.code).toBe('storage-denied')
    expect(error.message).toContain('there 2030-01-01T00:00:00.000Z')
    expect(error.message).toMatch(/here 20\d\d-/)
    expect(error.hint).toContain('clock')
  })

  it('expired credentials', async () => {
    always({ kind: 'answer', status: 400, code: 'ExpiredToken' })
    const error = await failure(open().put('key', streamOf(large), {}, ctx))
    expect(error).toMatchObject({ code: 'storage-denied' })
    expect(error.message).toContain('expired')
    expect(await server.openUploads('backups')).toEqual([])
  })

  it('no permission names what is not permitted', async () => {
    always({ kind: 'answer', status: 403, code: 'AccessDenied' })
    for (const [name, action] of [
      ['a short put', 's3:PutObject'],
      ['get', 's3:GetObject'],
      ['list', 's3:ListBucket'],
      ['delete', 's3:DeleteObject'],
      ['sweep', 's3:ListBucketMultipartUploads'],
    ] as const) {
      const error = await failure(operations[name]?.(open()) ?? Promise.resolve())
      expect(error).toMatchObject({ code: 'storage-denied', retryable: false })
      expect(error.message).toContain(action)
    }
    expect((await failure(open().stat('key', ctx))).message).toContain('s3:GetObject')
  })

  it('a redirect to another region is followed', async () => {
    await open().put('redirected', streamOf(small), {}, ctx)
    const headers = { 'x-amz-bucket-region': 'eu-west-3' }
    proxy.inject({ on: 'GetObject', fault: { kind: 'answer', status: 301, code: 'PermanentRedirect', headers } })
    expect((await readAll(open().get('redirected', undefined, ctx))).equals(small)).toBe(true)
    expect(proxy.seen.at(-1)?.headers.authorization).toContain('/eu-west-3/s3/')
  })

  it('a redirect that leads nowhere names both regions', async () => {
    const headers = { 'x-amz-bucket-region': 'eu-west-3' }
    always({ kind: 'answer', status: 301, code: 'PermanentRedirect', headers })
    const error = await failure(listAll(open({ region: 'us-west-2' })))
    expect(error).toMatchObject({ code: 'storage-config-invalid' })
    expect(error.message).toContain('eu-west-3, not in us-west-2')
    expect(error.hint).toContain('eu-west-3')
  })

  it('a header for the wrong region', async () => {
    const detail = { Region: 'ap-south-1' }
    always({ kind: 'answer', status: 400, code: 'AuthorizationHeaderMalformed', detail })
    const error = await failure(listAll(open()))
    expect(error).toMatchObject({ code: 'storage-config-invalid' })
    expect(error.message).toContain('ap-south-1')
  })

  it('an archived object offers to thaw', async () => {
    always({ kind: 'answer', status: 403, code: 'InvalidObjectState', detail: { StorageClass: 'GLACIER' } })
    const error = await failure(readAll(open({ prefix: 'prod' }).get("it's.dump", undefined, ctx)))
    expect(error).toMatchObject({ code: 'unavailable', retryable: false })
    expect(error.message).toContain('GLACIER')
    expect(error.hint).toContain("restore-object --bucket backups --key 'prod/it'\\''s.dump'")
  })

  it('a full service', async () => {
    always({ kind: 'answer', status: 507, code: 'XMinioStorageFull' })
    const error = await failure(open({ attempts: 1 }).put('key', streamOf(small), {}, ctx))
    expect(error).toMatchObject({ code: 'storage-full' })
  })

  it('an error that nobody foresaw keeps its name and message', async () => {
    always({ kind: 'answer', status: 400, code: 'StrangeThing', message: 'Mercury is in retrograde' })
    const error = await failure(listAll(open()))
    expect(error).toMatchObject({ code: 'unavailable', retryable: false })
    expect(error.message).toContain('StrangeThing (400): Mercury is in retrograde')
  })

  it('no credentials anywhere', async () => {
    const { accessKeyId: _id, secretAccessKey: _secret, ...options } = { ...server, bucket: 'backups' }
    const storage = s3({ bucket: 'backups', endpoint: options.endpoint, attempts: 1 })
    const saved = { ...process.env }
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
      AWS_CONFIG_FILE: '/nowhere',
    })
    try {
      const error = await failure(listAll(storage))
      expect(error).toMatchObject({ code: 'storage-denied' })
      expect(error.message).toContain('No credentials')
    } finally {
      process.env = saved
      await storage.close?.()
    }
  })
})

describe('exclusive puts', () => {
  for (const [name, content, last] of [
    ['short', small, 'PutObject'],
    ['long', large, 'CompleteMultipartUpload'],
  ] as const) {
    it(`a rival in the very last moment of a ${name} one is noticed where conditions are honoured`, async () => {
      const rival = Buffer.from('the rival')
      const key = `rival-${name}`
      proxy.before(async ({ operation }) => {
        if (operation === last) await open({ endpoint: server.endpoint }).put(key, streamOf(rival), {}, ctx)
      })
      const error = await failure(open().put(key, streamOf(content), { ifAbsent: true }, ctx))
      expect(error.code).toBe('already-exists')
      expect((await readAll(open().get(key, undefined, ctx))).equals(rival)).toBe(true)
      expect(await server.openUploads('backups')).toEqual([])
    })
  }

  it('a rival during a long upload is noticed where conditions are ignored', async () => {
    const options = { accessKeyId: ignorant.accessKeyId, secretAccessKey: ignorant.secretAccessKey }
    const rival = Buffer.from('the rival')
    ignorantProxy.before(async ({ operation }) => {
      if (operation !== 'UploadPart') return
      await open({ ...options, endpoint: ignorant.endpoint }).put('rival', streamOf(rival), {}, ctx)
    })
    const storage = open({ ...options, endpoint: ignorantProxy.endpoint })
    const error = await failure(storage.put('rival', streamOf(large), { ifAbsent: true }, ctx))
    expect(error.code).toBe('already-exists')
    expect((await readAll(storage.get('rival', undefined, ctx))).equals(rival)).toBe(true)
    expect(await ignorant.openUploads('backups')).toEqual([])
  })

  it('a service that refuses the condition itself is asked without it, from then on', async () => {
    const storage = open({ attempts: 1 })
    proxy.inject({ on: 'PutObject', fault: { kind: 'answer', status: 501, code: 'NotImplemented' } })
    await storage.put('unconditional-1', streamOf(small), { ifAbsent: true }, ctx)
    await storage.put('unconditional-2', streamOf(small), { ifAbsent: true }, ctx)
    const puts = proxy.seen.filter((seen) => seen.operation === 'PutObject')
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
    const made = proxy.seen.filter(({ operation }) => ['PutObject', 'CreateMultipartUpload'].includes(operation))
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
    const checksums = proxy.seen
      .flatMap((seen) => Object.keys(seen.headers))
      .filter((name) => name.includes('checksum'))
    expect(checksums).toEqual([])
  })

  it('AWS gets the checksums that the SDK adds by default', async () => {
    process.env.AWS_ENDPOINT_URL_S3 = proxy.endpoint
    try {
      const storage = open({ endpoint: undefined, pathStyle: true })
      await storage.put('checked-short', streamOf(small), {}, ctx)
      await storage.put('checked-long', streamOf(large), {}, ctx)
      expect((await readAll(storage.get('checked-long', undefined, ctx))).equals(large)).toBe(true)
    } finally {
      delete process.env.AWS_ENDPOINT_URL_S3
    }
    const carriers = proxy.seen.filter(({ headers }) => headers['x-amz-checksum-crc32'])
    expect(new Set(carriers.map((seen) => seen.operation))).toEqual(new Set(['PutObject', 'UploadPart']))
    const created = proxy.seen.find((seen) => seen.operation === 'CreateMultipartUpload')
    expect(created?.headers['x-amz-checksum-algorithm']).toBe('CRC32')
  })

  it('a session token goes along', async () => {
    await listAll(open({ sessionToken: 'token' }))
    expect(proxy.seen[0]?.headers['x-amz-security-token']).toBe('token')
  })
})

describe('sweepUnfinished', () => {
  async function leaveUpload(key: string, prefix: string): Promise<void> {
    proxy.inject({ on: 'AbortMultipartUpload', fault: { kind: 'answer', status: 405, code: 'MethodNotAllowed' } })
    const partSent = Promise.withResolvers<void>()
    proxy.before(({ operation }) => {
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
    proxy.clear()
  }
  const later = (): Date => new Date(Date.now() + 60_000)

  it('aborts what is old, under its own prefix', async () => {
    await leaveUpload('shop/2026/11/a', 'ours')
    await leaveUpload('shop/2026/11/b', 'ours/deeper')
    await leaveUpload('shop/2026/11/c', 'theirs')
    const storage = open({ prefix: 'ours' })
    expect(await storage.sweepUnfinished?.(new Date(Date.now() - 60_000), ctx)).toBe(0)
    expect(await storage.sweepUnfinished?.(later(), ctx)).toBe(2)
    expect(await storage.sweepUnfinished?.(later(), ctx)).toBe(0)
    expect(await server.openUploads('backups')).toHaveLength(1)
    expect(await open({ prefix: 'theirs' }).sweepUnfinished?.(later(), ctx)).toBe(1)
  })

  it('leaves keys that are not of its form alone in a bucket without prefix', async () => {
    await leaveUpload('shop/2026/11/shop_daily.dump', '')
    await leaveUpload('holiday-video.mp4', '')
    expect(await open().sweepUnfinished?.(later(), ctx)).toBe(1)
    expect(await server.openUploads('backups')).toHaveLength(1)
  })

  it('is no failure where uploads cannot be listed', async () => {
    const warnings: string[] = []
    const log = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line), error() {} }
    proxy.inject({ on: 'ListMultipartUploads', fault: { kind: 'answer', status: 501, code: 'NotImplemented' } })
    expect(await open({ attempts: 1 }).sweepUnfinished?.(later(), createRunContext({ log }))).toBe(0)
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
    const parts = proxy.seen.filter((seen) => seen.operation === 'UploadPart')
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
    expect(proxy.count('CompleteMultipartUpload')).toBe(3)
    expect(proxy.count('PutObject')).toBe(1)
  })
})

it('an error is a BackupError whoever asks', async () => {
  expect(isBackupError(await failure(listAll(open({ bucket: 'no-such-bucket' }))))).toBe(true)
})

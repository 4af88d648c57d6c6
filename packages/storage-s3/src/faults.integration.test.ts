import { createHash } from 'node:crypto'
import { BackupError, type ByteStream, createRunContext, MiB, readAll, type Storage, streamOf } from '@holdfast/core'
import {
  type Fault,
  type FaultyProxy,
  type S3Operation,
  type S3Server,
  startFaultyProxy,
  startS3Server,
} from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type S3Options, s3 } from './index.js'

let server: S3Server
let proxy: FaultyProxy
let storage: Storage
/** Around the proxy, to see what is really there. */
let direct: Storage

beforeAll(async () => {
  server = await startS3Server()
  await server.createBucket('backups')
  proxy = await startFaultyProxy(server.endpoint)
})
afterAll(async () => {
  await proxy?.stop()
  await server?.stop()
})
beforeEach(() => {
  storage = through({})
  direct = s3({ ...base(), endpoint: server.endpoint })
})
afterEach(async () => {
  proxy.clear()
  // Where the answer that names an upload was lost, only a sweep can remove it.
  await direct.sweepUnfinished?.(new Date(Date.now() + 60_000), ctx)
  await storage.close?.()
  await direct.close?.()
})

const base = (): S3Options => ({
  bucket: 'backups',
  prefix: 'faults',
  partSize: 5 * MiB,
  accessKeyId: server.accessKeyId,
  secretAccessKey: server.secretAccessKey,
})
const through = (options: Partial<S3Options>): Storage =>
  s3({ ...base(), endpoint: proxy.endpoint, attempts: 4, idleTimeout: 10_000, ...options })

/** For what only ends because nobody waits longer; not less, or a busy machine looks like a fault. */
const impatient = { idleTimeout: 2000 }

const ctx = createRunContext()
const small = Buffer.from('a manifest, for example')
const large = bytes(11 * MiB)
/** Unlike any other test's. */
let count = 0
const freshKey = (): string => `object-${++count}`

function bytes(size: number): Buffer {
  const block = createHash('sha256').update('seed').digest()
  return Buffer.alloc(
    size,
    Buffer.concat(Array.from({ length: 1021 }, (_, i) => createHash('sha256').update(block).update(`${i}`).digest())),
  )
}

async function* inChunks(whole: Buffer, size = 300_000): ByteStream {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
}

/** A body that fails once the first of its parts is on its way. */
async function* failingLate(content: Buffer, error: Error): ByteStream {
  const partSent = new Promise<void>((resolve) => {
    proxy.before(({ operation }) => {
      if (operation === 'UploadPart') resolve()
    })
  })
  yield* inChunks(content)
  await partSent
  throw error
}

async function expectStored(key: string, content: Buffer): Promise<void> {
  const read = await readAll(direct.get(key, undefined, ctx))
  expect(read.equals(content)).toBe(true)
}

async function expectNothingLeft(key: string): Promise<void> {
  expect(await direct.stat(key, ctx)).toBeUndefined()
  expect(await server.openUploads('backups')).toEqual([])
}

async function failure(work: Promise<unknown>): Promise<BackupError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(BackupError)
  return error as BackupError
}

const transient: readonly [string, Fault][] = [
  ['500', { kind: 'answer', status: 500, code: 'InternalError' }],
  ['503 SlowDown', { kind: 'answer', status: 503, code: 'SlowDown' }],
  ['503 without a body', { kind: 'answer', status: 503 }],
  ['429', { kind: 'answer', status: 429, code: 'TooManyRequests' }],
  ['a connection that drops', { kind: 'drop' }],
  ['a connection that drops after the effect', { kind: 'drop', after: true }],
  ['500 after the effect', { kind: 'answer', status: 500, code: 'InternalError', after: true }],
  ['a stall', { kind: 'stall' }],
  ['a slow answer', { kind: 'slow', delayMs: 200 }],
]

describe('what goes away by itself is survived', () => {
  for (const [name, fault] of transient) {
    const all: S3Operation[] = ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'HeadObject']
    for (const on of all) {
      it(`long put: ${name} at ${on}`, async () => {
        const key = freshKey()
        const rule = proxy.inject({ on, fault, skip: on === 'UploadPart' ? 1 : 0 })
        const stored = await (fault.kind === 'stall' ? through(impatient) : storage).put(key, inChunks(large), {}, ctx)
        expect(stored.size).toBe(large.length)
        expect(rule.hits).toBe(1)
        await expectStored(key, large)
        const lostId = on === 'CreateMultipartUpload' && 'after' in fault && fault.after
        expect(await server.openUploads('backups')).toHaveLength(lostId ? 1 : 0)
      })
    }

    for (const ifAbsent of [false, true]) {
      it(`short put${ifAbsent ? ', exclusive' : ''}: ${name}`, async () => {
        const key = freshKey()
        const rule = proxy.inject({ on: 'PutObject', fault })
        await (fault.kind === 'stall' ? through(impatient) : storage).put(key, streamOf(small), { ifAbsent }, ctx)
        expect(rule.hits).toBe(1)
        await expectStored(key, small)
      })
    }

    it(`get, stat, list and delete: ${name}`, async () => {
      if (fault.kind === 'stall') storage = through(impatient)
      const key = freshKey()
      await direct.put(key, streamOf(small), {}, ctx)
      const rule = proxy.inject({ on: ['GetObject', 'HeadObject', 'ListObjectsV2', 'DeleteObject'], fault })
      expect((await storage.stat(key, ctx))?.size).toBe(small.length)
      proxy.inject({ on: 'GetObject', fault })
      expect((await readAll(storage.get(key, undefined, ctx))).equals(small)).toBe(true)
      proxy.inject({ on: 'ListObjectsV2', fault })
      const listed: string[] = []
      for await (const object of storage.list(key, ctx)) listed.push(object.key)
      expect(listed).toEqual([key])
      proxy.inject({ on: 'DeleteObject', fault })
      await storage.delete(key, ctx)
      expect(rule.hits).toBe(1)
      expect(await direct.stat(key, ctx)).toBeUndefined()
    })
  }
})

describe('what does not go away fails the put, and nothing is left', () => {
  for (const on of ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const) {
    for (const [name, fault] of transient.filter(([, { kind }]) => kind === 'answer' || kind === 'drop')) {
      if ('after' in fault && fault.after) continue
      it(`${name} at every ${on}`, async () => {
        const key = freshKey()
        proxy.inject({ on, fault, times: Number.POSITIVE_INFINITY })
        const error = await failure(through({ attempts: 2 }).put(key, inChunks(large), {}, ctx))
        expect(error).toMatchObject({ code: 'unavailable', retryable: true })
        await expectNothingLeft(key)
      })
    }
  }

  it('a part that fails for good while the body hangs', async () => {
    const key = freshKey()
    proxy.inject({ on: 'UploadPart', fault: { kind: 'answer', status: 403, code: 'AccessDenied' } })
    async function* body(): ByteStream {
      yield* inChunks(large)
      await new Promise(() => {})
    }
    expect(await failure(storage.put(key, body(), {}, ctx))).toMatchObject({ code: 'storage-denied' })
    await expectNothingLeft(key)
  })

  it('a part that is damaged on its way is refused by the service', async () => {
    const key = freshKey()
    proxy.inject({ on: 'UploadPart', fault: { kind: 'flip-request', at: 100_000 } })
    const error = await failure(storage.put(key, inChunks(large), {}, ctx))
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(error.message).toContain('BadDigest')
    await expectNothingLeft(key)
  })

  it('a body that throws after some parts', async () => {
    const key = freshKey()
    const cut = new Error('pg_dump exited with 1')
    await expect(storage.put(key, failingLate(large, cut), {}, ctx)).rejects.toBe(cut)
    expect(proxy.count('AbortMultipartUpload')).toBe(1)
    expect(proxy.count('CompleteMultipartUpload')).toBe(0)
    await expectNothingLeft(key)
  })

  it('an upload that takes longer than uploadTimeout', async () => {
    const key = freshKey()
    proxy.inject({ on: 'UploadPart', fault: { kind: 'stall' }, times: Number.POSITIVE_INFINITY })
    const error = await failure(through({ uploadTimeout: 700, idleTimeout: 60_000 }).put(key, inChunks(large), {}, ctx))
    expect(error).toMatchObject({ code: 'timed-out', retryable: true })
    await expectNothingLeft(key)
  })

  it('an abort while the SDK waits before its next attempt is prompt', async () => {
    const key = freshKey()
    const abort = new AbortController()
    const reason = new Error('Ctrl-C')
    const slowDown: Fault = { kind: 'answer', status: 503, code: 'SlowDown' }
    proxy.inject({ on: 'UploadPart', fault: slowDown, times: Number.POSITIVE_INFINITY })
    proxy.before((seen) => {
      if (seen.operation === 'UploadPart' && proxy.count('UploadPart') === 8) setImmediate(() => abort.abort(reason))
    })
    const put = through({ attempts: 20 }).put(key, inChunks(large), {}, createRunContext({ signal: abort.signal }))
    await expect(put).rejects.toBe(reason)
    expect(proxy.count('UploadPart')).toBeLessThan(16)
    await expectNothingLeft(key)
  })
})

describe('the last request of a put', () => {
  it('200 that holds an error is a failure', async () => {
    const key = freshKey()
    const fault: Fault = { kind: 'answer', status: 200, code: 'InternalError' }
    proxy.inject({ on: 'CompleteMultipartUpload', fault, times: Number.POSITIVE_INFINITY })
    const error = await failure(through({ attempts: 2 }).put(key, inChunks(large), {}, ctx))
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    await expectNothingLeft(key)
  })

  it('200 that holds an error, once, is tried again', async () => {
    const key = freshKey()
    proxy.inject({ on: 'CompleteMultipartUpload', fault: { kind: 'answer', status: 200, code: 'InternalError' } })
    await storage.put(key, inChunks(large), {}, ctx)
    await expectStored(key, large)
  })

  const lost: [string, Fault][] = [
    ['500', { kind: 'answer', status: 500, code: 'InternalError', after: true }],
    ['a dropped connection', { kind: 'drop', after: true }],
    ['a time-out', { kind: 'stall', after: true }],
  ]
  for (const [name, fault] of lost) {
    it(`${name} although it was done: a look at the object decides, with and without an older one`, async () => {
      const once = through({ attempts: 1, ...(fault.kind === 'stall' && impatient) })
      const key = freshKey()
      for (const content of [large, Buffer.from(large).fill(7, 1_000_000, 2_000_000)]) {
        proxy.clear()
        proxy.inject({ on: 'CompleteMultipartUpload', fault })
        expect((await once.put(key, inChunks(content), {}, ctx)).size).toBe(large.length)
        await expectStored(key, content)
      }
    })
  }

  it('a failure is not taken for success because an older object has the same size', async () => {
    const key = freshKey()
    await direct.put(key, inChunks(large), {}, ctx)
    proxy.inject({ on: 'CompleteMultipartUpload', fault: { kind: 'drop' } })
    const other = Buffer.from(large).fill(1)
    const error = await failure(through({ attempts: 1 }).put(key, inChunks(other), {}, ctx))
    expect(error.code).toBe('unavailable')
    await expectStored(key, large)
    expect(await server.openUploads('backups')).toEqual([])
  })

  it('an object of another size than was sent is an error', async () => {
    const key = freshKey()
    const headers = { 'content-length': '7', 'last-modified': new Date().toUTCString(), etag: '"x"' }
    proxy.inject({ on: 'HeadObject', fault: { kind: 'answer', status: 200, headers } })
    const error = await failure(storage.put(key, streamOf(small), {}, ctx))
    expect(error.code).toBe('corrupt')
    expect(error.message).toContain(`7 bytes after the upload of ${small.length}`)
    expect(await direct.stat(key, ctx)).toBeUndefined()
  })

  for (const [name, content, on] of [
    ['short', small, 'PutObject'],
    ['long', large, 'CompleteMultipartUpload'],
  ] as const) {
    it(`an abort while the ${name} object appears leaves nothing`, async () => {
      const key = freshKey()
      const abort = new AbortController()
      const reason = new Error('Ctrl-C')
      proxy.inject({ on, fault: { kind: 'stall', after: true } })
      const appeared = (async () => {
        while (!(await direct.stat(key, ctx))) await new Promise((resolve) => setTimeout(resolve, 5))
        abort.abort(reason)
      })()
      const patient = through({ idleTimeout: 60_000 })
      const put = patient.put(key, inChunks(content), {}, createRunContext({ signal: abort.signal }))
      await Promise.all([expect(put).rejects.toBe(reason), appeared])
      await expectNothingLeft(key)
    })
  }
})

describe('an upload that cannot be aborted', () => {
  it('is named in a warning, and the first error is thrown', async () => {
    const warnings: unknown[][] = []
    const log = { debug() {}, info() {}, warn: (...line: unknown[]) => warnings.push(line), error() {} }
    const key = freshKey()
    const cut = new Error('cut')
    const fault: Fault = { kind: 'answer', status: 405, code: 'MethodNotAllowed' }
    proxy.inject({ on: 'AbortMultipartUpload', fault })
    await expect(storage.put(key, failingLate(large, cut), {}, createRunContext({ log }))).rejects.toBe(cut)
    const [uploadId] = await server.openUploads('backups')
    expect(uploadId).toMatch(/^\w+$/)
    expect(warnings).toEqual([
      [expect.stringContaining('could not be aborted'), expect.objectContaining({ key, uploadId })],
    ])
    expect(await storage.sweepUnfinished?.(new Date(Date.now() + 60_000), ctx)).toBe(1)
    await expectNothingLeft(key)
  })
})

describe('get', () => {
  it('a body that is cut is taken up where it stopped', async () => {
    const key = freshKey()
    await direct.put(key, inChunks(large), {}, ctx)
    for (const afterBytes of [0, 1, 1_000_000, 10_000_000]) {
      proxy.inject({ on: 'GetObject', fault: { kind: 'cut', afterBytes } })
    }
    expect((await readAll(storage.get(key, undefined, ctx))).equals(large)).toBe(true)
    const gets = proxy.seen.filter((seen) => seen.operation === 'GetObject')
    expect(gets).toHaveLength(5)
    expect(gets.slice(1).every((seen) => seen.headers['if-match'] && seen.headers.range?.startsWith('bytes='))).toBe(
      true,
    )
  })

  it('a body that stops coming is taken up after idleTimeout', async () => {
    const key = freshKey()
    await direct.put(key, inChunks(large), {}, ctx)
    proxy.inject({ on: 'GetObject', fault: { kind: 'freeze', afterBytes: 5_000_000 } })
    const range = { start: 1000, end: 11_000_000 }
    const read = await readAll(through(impatient).get(key, range, ctx))
    expect(read.equals(large.subarray(1000, 11_000_001))).toBe(true)
    expect(proxy.count('GetObject')).toBe(2)
  })

  it('a body that never gets further is given up', async () => {
    const key = freshKey()
    await direct.put(key, streamOf(small), {}, ctx)
    proxy.inject({ on: 'GetObject', fault: { kind: 'cut', afterBytes: 0 }, times: Number.POSITIVE_INFINITY })
    const error = await failure(readAll(storage.get(key, undefined, ctx)))
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(proxy.count('GetObject')).toBe(6)
  })

  it('an object that is replaced while it is read is not mixed with the new one', async () => {
    const key = freshKey()
    await direct.put(key, inChunks(large), {}, ctx)
    proxy.inject({ on: 'GetObject', fault: { kind: 'cut', afterBytes: 4_000_000 } })
    proxy.before(async (seen) => {
      if (seen.operation !== 'GetObject' || proxy.count('GetObject') !== 2) return
      await direct.put(key, inChunks(Buffer.from(large).fill(9)), {}, ctx)
    })
    expect(await failure(readAll(storage.get(key, undefined, ctx)))).toMatchObject({ code: 'corrupt' })
  })

  it('a service that ignores ranges is noticed', async () => {
    const key = freshKey()
    await direct.put(key, streamOf(small), {}, ctx)
    const fault: Fault = { kind: 'answer', status: 200, code: 'Whatever', headers: { 'content-length': '116' } }
    proxy.inject({ on: 'GetObject', fault: { ...fault, headers: {} } })
    const error = await failure(readAll(storage.get(key, { start: 5 }, ctx)))
    expect(error.message).toContain('ignores the range')
  })

  it('a flipped byte passes: only the hashes of the engine can tell', async () => {
    const key = freshKey()
    await direct.put(key, streamOf(small), {}, ctx)
    proxy.inject({ on: 'GetObject', fault: { kind: 'flip', at: 3 } })
    const read = await readAll(storage.get(key, undefined, ctx))
    expect(read.length).toBe(small.length)
    expect([...read].filter((byte, at) => byte !== small[at])).toHaveLength(1)
  })

  it('a reader that stops early closes the connection', async () => {
    const key = freshKey()
    await direct.put(key, inChunks(large), {}, ctx)
    for await (const chunk of storage.get(key, undefined, ctx)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    expect((await storage.stat(key, ctx))?.size).toBe(large.length)
  })
})

describe('list', () => {
  it('an answer that is cut is asked for again; it never looks like a shorter list', async () => {
    const key = freshKey()
    for (const n of [1, 2, 3]) await direct.put(`${key}/${n}`, streamOf(small), {}, ctx)
    for (const afterBytes of [0, 200]) proxy.inject({ on: 'ListObjectsV2', fault: { kind: 'cut', afterBytes } })
    const keys: string[] = []
    for await (const object of storage.list(key, ctx)) keys.push(object.key)
    expect(keys).toEqual([`${key}/1`, `${key}/2`, `${key}/3`])
    expect(proxy.count('ListObjectsV2')).toBe(3)
  })
})

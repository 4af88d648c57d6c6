import { type ByteStream, createRunContext, readAll, type Storage, streamOf } from '@holdfast/core'
import type { Fault, S3Operation } from '@holdfast/test-support'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ctx,
  failingLate,
  failure,
  freshKey,
  impatient,
  inChunks,
  large,
  small,
  useFaultyBucket,
} from '../test/faulty-bucket.js'

const bucket = useFaultyBucket()
const open = bucket.open
const direct = (): Storage => bucket.direct()
let storage: Storage
beforeEach(() => {
  storage = open()
})
// Where the answer that names an upload was lost, only a sweep can remove it.
afterEach(async () => {
  await direct().sweepUnfinished?.({ before: new Date(Date.now() + 60_000), prefixes: [''] }, ctx)
})

async function expectStored(key: string, content: Buffer): Promise<void> {
  const read = await readAll(direct().get(key, undefined, ctx))
  expect(read.equals(content)).toBe(true)
}

async function expectNothingLeft(key: string): Promise<void> {
  expect(await direct().stat(key, ctx)).toBeUndefined()
  expect(await bucket.server.openUploads('backups')).toEqual([])
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
        const rule = bucket.proxy.inject({ on, fault, skip: on === 'UploadPart' ? 1 : 0 })
        const stored = await (fault.kind === 'stall' ? open(impatient) : storage).put(key, inChunks(large), {}, ctx)
        expect(stored.size).toBe(large.length)
        expect(rule.hits).toBe(1)
        await expectStored(key, large)
        const lostId = on === 'CreateMultipartUpload' && 'after' in fault && fault.after
        expect(await bucket.server.openUploads('backups')).toHaveLength(lostId ? 1 : 0)
      })
    }

    for (const ifAbsent of [false, true]) {
      it(`short put${ifAbsent ? ', exclusive' : ''}: ${name}`, async () => {
        const key = freshKey()
        const rule = bucket.proxy.inject({ on: 'PutObject', fault })
        await (fault.kind === 'stall' ? open(impatient) : storage).put(key, streamOf(small), { ifAbsent }, ctx)
        expect(rule.hits).toBe(1)
        await expectStored(key, small)
      })
    }

    it(`get, stat, list and delete: ${name}`, async () => {
      if (fault.kind === 'stall') storage = open(impatient)
      const key = freshKey()
      await direct().put(key, streamOf(small), {}, ctx)
      const rule = bucket.proxy.inject({ on: ['GetObject', 'HeadObject', 'ListObjectsV2', 'DeleteObject'], fault })
      expect((await storage.stat(key, ctx))?.size).toBe(small.length)
      bucket.proxy.inject({ on: 'GetObject', fault })
      expect((await readAll(storage.get(key, undefined, ctx))).equals(small)).toBe(true)
      bucket.proxy.inject({ on: 'ListObjectsV2', fault })
      const listed: string[] = []
      for await (const object of storage.list(key, ctx)) listed.push(object.key)
      expect(listed).toEqual([key])
      bucket.proxy.inject({ on: 'DeleteObject', fault })
      await storage.delete(key, ctx)
      expect(rule.hits).toBe(1)
      expect(await direct().stat(key, ctx)).toBeUndefined()
    })
  }
})

describe('what does not go away fails the put, and nothing is left', () => {
  for (const on of ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const) {
    for (const [name, fault] of transient.filter(([, { kind }]) => kind === 'answer' || kind === 'drop')) {
      if ('after' in fault && fault.after) continue
      it(`${name} at every ${on}`, async () => {
        const key = freshKey()
        bucket.proxy.inject({ on, fault, times: Number.POSITIVE_INFINITY })
        const error = await failure(open({ attempts: 2 }).put(key, inChunks(large), {}, ctx))
        expect(error).toMatchObject({ code: 'unavailable', retryable: true })
        await expectNothingLeft(key)
      })
    }
  }

  it('a part that fails for good while the body hangs', async () => {
    const key = freshKey()
    bucket.proxy.inject({ on: 'UploadPart', fault: { kind: 'answer', status: 403, code: 'AccessDenied' } })
    async function* body(): ByteStream {
      yield* inChunks(large)
      await new Promise(() => {})
    }
    expect(await failure(storage.put(key, body(), {}, ctx))).toMatchObject({ code: 'storage-denied' })
    await expectNothingLeft(key)
  })

  it('a part that is damaged on its way is refused by the service', async () => {
    const key = freshKey()
    bucket.proxy.inject({ on: 'UploadPart', fault: { kind: 'flip-request', at: 100_000 } })
    const error = await failure(storage.put(key, inChunks(large), {}, ctx))
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(error.message).toContain('BadDigest')
    await expectNothingLeft(key)
  })

  it('a body that throws after some parts', async () => {
    const key = freshKey()
    const cut = new Error('pg_dump exited with 1')
    await expect(storage.put(key, failingLate(bucket.proxy, large, cut), {}, ctx)).rejects.toBe(cut)
    expect(bucket.proxy.count('AbortMultipartUpload')).toBe(1)
    expect(bucket.proxy.count('CompleteMultipartUpload')).toBe(0)
    await expectNothingLeft(key)
  })

  it('an upload that takes longer than uploadTimeout', async () => {
    const key = freshKey()
    bucket.proxy.inject({ on: 'UploadPart', fault: { kind: 'stall' }, times: Number.POSITIVE_INFINITY })
    const error = await failure(open({ uploadTimeout: 700, idleTimeout: 60_000 }).put(key, inChunks(large), {}, ctx))
    expect(error).toMatchObject({ code: 'timed-out', retryable: true })
    await expectNothingLeft(key)
  })

  it('an abort while the SDK waits before its next attempt is prompt', async () => {
    const key = freshKey()
    const abort = new AbortController()
    const reason = new Error('Ctrl-C')
    const slowDown: Fault = { kind: 'answer', status: 503, code: 'SlowDown' }
    bucket.proxy.inject({ on: 'UploadPart', fault: slowDown, times: Number.POSITIVE_INFINITY })
    bucket.proxy.before((seen) => {
      if (seen.operation === 'UploadPart' && bucket.proxy.count('UploadPart') === 8)
        setImmediate(() => abort.abort(reason))
    })
    const put = open({ attempts: 20 }).put(key, inChunks(large), {}, createRunContext({ signal: abort.signal }))
    await expect(put).rejects.toBe(reason)
    expect(bucket.proxy.count('UploadPart')).toBeLessThan(16)
    await expectNothingLeft(key)
  })
})

describe('the last request of a put', () => {
  it('200 that holds an error is a failure', async () => {
    const key = freshKey()
    const fault: Fault = { kind: 'answer', status: 200, code: 'InternalError' }
    bucket.proxy.inject({ on: 'CompleteMultipartUpload', fault, times: Number.POSITIVE_INFINITY })
    const error = await failure(open({ attempts: 2 }).put(key, inChunks(large), {}, ctx))
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
    await expectNothingLeft(key)
  })

  it('200 that holds an error, once, is tried again', async () => {
    const key = freshKey()
    bucket.proxy.inject({
      on: 'CompleteMultipartUpload',
      fault: { kind: 'answer', status: 200, code: 'InternalError' },
    })
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
      const once = open({ attempts: 1, ...(fault.kind === 'stall' && impatient) })
      const key = freshKey()
      for (const content of [large, Buffer.from(large).fill(7, 1_000_000, 2_000_000)]) {
        bucket.proxy.clear()
        bucket.proxy.inject({ on: 'CompleteMultipartUpload', fault })
        expect((await once.put(key, inChunks(content), {}, ctx)).size).toBe(large.length)
        await expectStored(key, content)
      }
    })
  }

  it('a failure is not taken for success because an older object has the same size', async () => {
    const key = freshKey()
    await direct().put(key, inChunks(large), {}, ctx)
    bucket.proxy.inject({ on: 'CompleteMultipartUpload', fault: { kind: 'drop' } })
    const other = Buffer.from(large).fill(1)
    const error = await failure(open({ attempts: 1 }).put(key, inChunks(other), {}, ctx))
    expect(error.code).toBe('unavailable')
    await expectStored(key, large)
    expect(await bucket.server.openUploads('backups')).toEqual([])
  })

  it('an object of another size than was sent is an error', async () => {
    const key = freshKey()
    const headers = { 'content-length': '7', 'last-modified': new Date().toUTCString(), etag: '"x"' }
    bucket.proxy.inject({ on: 'HeadObject', fault: { kind: 'answer', status: 200, headers } })
    const error = await failure(storage.put(key, streamOf(small), {}, ctx))
    expect(error.code).toBe('corrupt')
    expect(error.message).toContain(`7 bytes after the upload of ${small.length}`)
    expect(await direct().stat(key, ctx)).toBeUndefined()
  })

  for (const [name, content] of [
    ['short', small],
    ['long', large],
  ] as const) {
    it(`a ${name} object that replaced another one stays where it cannot be looked at`, async () => {
      const key = freshKey()
      await direct().put(key, streamOf(Buffer.from('older')), {}, ctx)
      const rule = bucket.proxy.inject({
        on: 'HeadObject',
        times: 3,
        fault: { kind: 'answer', status: 500, code: 'InternalError' },
      })
      const error = await failure(open({ attempts: 1 }).put(key, inChunks(content), {}, ctx))
      expect(error.code).toBe('unavailable')
      expect(rule.hits).toBe(3)
      await expectStored(key, content)
    })

    it(`an exclusive ${name} object that cannot be looked at is removed`, async () => {
      const key = freshKey()
      bucket.proxy.inject({
        on: 'HeadObject',
        skip: name === 'short' ? 1 : 2,
        times: 3,
        fault: { kind: 'answer', status: 500, code: 'InternalError' },
      })
      const error = await failure(open({ attempts: 1 }).put(key, inChunks(content), { ifAbsent: true }, ctx))
      expect(error.code).toBe('unavailable')
      await expectNothingLeft(key)
    })

    it(`a ${name} object is looked at until that succeeds`, async () => {
      const key = freshKey()
      bucket.proxy.inject({ on: 'HeadObject', times: 2, fault: { kind: 'answer', status: 503, code: 'SlowDown' } })
      await open({ attempts: 1 }).put(key, inChunks(content), {}, ctx)
      await expectStored(key, content)
    })
  }

  for (const [name, content, on] of [
    ['short', small, 'PutObject'],
    ['long', large, 'CompleteMultipartUpload'],
  ] as const) {
    it(`an abort while the ${name} object appears leaves nothing`, async () => {
      const key = freshKey()
      const abort = new AbortController()
      const reason = new Error('Ctrl-C')
      const rule = bucket.proxy.inject({
        on,
        fault: { kind: 'stall', after: true, onStall: () => abort.abort(reason) },
      })
      const patient = open({ idleTimeout: 60_000 })
      const put = patient.put(key, inChunks(content), {}, createRunContext({ signal: abort.signal }))
      await expect(put).rejects.toBe(reason)
      expect(rule.hits).toBe(1)
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
    bucket.proxy.inject({ on: 'AbortMultipartUpload', fault })
    await expect(storage.put(key, failingLate(bucket.proxy, large, cut), {}, createRunContext({ log }))).rejects.toBe(
      cut,
    )
    const [uploadId] = await bucket.server.openUploads('backups')
    expect(uploadId).toMatch(/^\w+$/)
    expect(warnings).toEqual([
      [expect.stringContaining('could not be aborted'), expect.objectContaining({ key, uploadId })],
    ])
    expect(await storage.sweepUnfinished?.({ before: new Date(Date.now() + 60_000), prefixes: [''] }, ctx)).toBe(1)
    await expectNothingLeft(key)
  })
})

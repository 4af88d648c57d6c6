import { readAll, type Storage, streamOf } from '@holdfast/core'
import type { Fault } from '@holdfast/test-support'
import { describe, expect, it } from 'vitest'
import { ctx, failure, large, listAll, small, useFaultyBucket } from '../test/faulty-bucket.js'
import { s3 } from './index.js'

const bucket = useFaultyBucket()
const open = bucket.open

/** Every operation of a storage, each to be refused. */
const operations: Record<string, (storage: Storage) => Promise<unknown>> = {
  'a short put': (storage) => storage.put('key', streamOf(small), {}, ctx),
  'a long put': (storage) => storage.put('key', streamOf(large), {}, ctx),
  'an exclusive put': (storage) => storage.put('key', streamOf(small), { ifAbsent: true }, ctx),
  get: (storage) => readAll(storage.get('key', undefined, ctx)),
  stat: (storage) => storage.stat('key', ctx),
  list: (storage) => listAll(storage),
  delete: (storage) => storage.delete('key', ctx),
  sweep: async (storage) => storage.sweepUnfinished?.({ before: new Date(), prefixes: [''] }, ctx),
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
    bucket.proxy.inject({ on: '*', fault, times: Number.POSITIVE_INFINITY })
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
    expect(await bucket.server.openUploads('backups')).toEqual([])
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
    bucket.proxy.inject({ on: 'GetObject', fault: { kind: 'answer', status: 301, code: 'PermanentRedirect', headers } })
    expect((await readAll(open().get('redirected', undefined, ctx))).equals(small)).toBe(true)
    expect(bucket.proxy.seen.at(-1)?.headers.authorization).toContain('/eu-west-3/s3/')
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
    const storage = s3({ bucket: 'backups', endpoint: bucket.proxy.endpoint, attempts: 1 })
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

import { BackupError } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { toBackupError } from './errors.js'
import { resolveS3Options } from './options.js'
import { createPlace } from './place.js'

const place = createPlace(resolveS3Options({ bucket: 'backups', endpoint: 'https://s3.example.com' }))
const explain = (error: unknown): BackupError => toBackupError(error, place, { action: 's3:PutObject', key: 'a/b' })
const named = (name: string, more: object = {}): Error => Object.assign(new Error('message'), { name, ...more })

describe('errors of the SDK', () => {
  it('say that AWS was meant where no endpoint is given', () => {
    const aws = createPlace(resolveS3Options({ bucket: 'backups' }))
    const notFound = named('Error', { code: 'ENOTFOUND' })
    expect(toBackupError(notFound, aws, { action: 's3:PutObject', key: 'a/b' })).toMatchObject({
      message: expect.stringContaining('AWS for s3://backups has no address'),
      hint: expect.stringContaining('endpoint'),
    })
  })

  const cases: [Error, string, boolean, RegExp][] = [
    [named('Error', { code: 'ENOTFOUND' }), 'unavailable', true, /host of https:\/\/s3.example.com has no address/],
    [named('Error', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'storage-config-invalid', false, /certificate/],
    [named('TimeoutError', { $metadata: { attempts: 8 } }), 'unavailable', true, /after 8 attempts: no answer in time/],
    [named('NoSuchKey', { $metadata: { httpStatusCode: 404 } }), 'not-found', false, /s3:\/\/backups\/a\/b/],
    [named('KMS.DisabledException', { $metadata: { httpStatusCode: 400 } }), 'storage-denied', false, /encryption key/],
    [
      named('InvalidStorageClass', { $metadata: { httpStatusCode: 400 } }),
      'storage-config-invalid',
      false,
      /storageClass/,
    ],
    [named('QuotaExceeded', { $metadata: { httpStatusCode: 403 } }), 'storage-full', false, /no room/],
    [named('Unknown', { $metadata: { httpStatusCode: 507 } }), 'storage-full', false, /no room/],
    [
      named('Forbidden', { $response: { statusCode: 403 } }),
      'storage-denied',
      false,
      /wrong keys, or no permission for s3:Put/,
    ],
    [
      named('PermanentRedirect', { $metadata: { httpStatusCode: 301 } }),
      'storage-config-invalid',
      false,
      /not in the region us-east-1/,
    ],
    [
      named('RequestTimeTooSkewed', { $metadata: { httpStatusCode: 403 } }),
      'storage-denied',
      false,
      /clocks differ: here 20/,
    ],
    [
      named('NotImplemented', { $metadata: { httpStatusCode: 501 } }),
      'unavailable',
      false,
      /NotImplemented \(501\): message/,
    ],
    [named('BadDigest', { $metadata: { httpStatusCode: 400 } }), 'unavailable', true, /BadDigest/],
  ]
  for (const [error, code, retryable, message] of cases) {
    it(`${error.name}${'code' in error ? ` ${error.code}` : ''}: ${code}`, () => {
      const explained = explain(error)
      expect(explained).toMatchObject({ code, retryable, cause: error })
      expect(explained.message).toMatch(message)
    })
  }

  it('our own pass untouched', () => {
    const own = new BackupError('already-exists', { message: 'taken' })
    expect(explain(own)).toBe(own)
  })

  it('what is no error at all is told as it is', () => {
    expect(explain('a string')).toMatchObject({ code: 'unavailable', retryable: false })
    expect(explain(new TypeError('a defect')).message).toContain('TypeError: a defect')
  })
})

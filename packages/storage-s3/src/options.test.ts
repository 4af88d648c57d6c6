import { BackupError, Secret } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { clientConfig } from './client.js'
import { minimalPolicy, s3, s3OptionsSchema, s3Plugin, staleUploadRule } from './index.js'
import { describeObject } from './object-description.js'
import { resolveS3Options } from './options.js'

function refusal(work: () => unknown): BackupError {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(BackupError)
    return error as BackupError
  }
  throw new Error('nothing was refused')
}

describe('options', () => {
  it('have defaults', () => {
    expect(resolveS3Options({ bucket: 'backups' })).toMatchObject({
      prefix: '',
      partSize: 8 * 1024 * 1024,
      queue: 4,
      maxParts: 10_000,
      tags: false,
    })
  })

  it('a prefix loses its outer slashes', () => {
    expect(resolveS3Options({ bucket: 'backups', prefix: '/prod/db/' }).prefix).toBe('prod/db')
    expect(s3({ bucket: 'backups', prefix: '/prod/db/' }).display).toBe('s3://backups/prod/db')
    expect(s3({ bucket: 'backups' }).display).toBe('s3://backups')
  })

  it('tell buckets of one name at different services apart', () => {
    const at = (endpoint?: string): string[] => {
      const { name, display } = s3({ bucket: 'backups', prefix: 'prod', endpoint })
      return [name, display]
    }
    for (const [endpoint, display] of [
      [undefined, 's3://backups/prod'],
      ['https://minio.example.com', 's3://backups/prod at minio.example.com'],
      ['http://127.0.0.1:9000/', 's3://backups/prod at 127.0.0.1:9000'],
      ['http://127.0.0.1:9001/s3/', 's3://backups/prod at 127.0.0.1:9001/s3'],
    ]) {
      expect(at(endpoint)).toEqual([display, display])
    }
    expect(s3({ bucket: 'backups', name: 'offsite' }).name).toBe('offsite')
  })

  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ['an unknown option', { bukket: 'x' }, /bukket/],
    ['no bucket', { bucket: undefined }, /bucket/],
    ['a bucket with a slash', { bucket: 'a/b/c' }, /bucket: is not the name of a bucket/],
    ['a prefix that leaves', { prefix: 'a/../b' }, /prefix: is not a path/],
    ['a prefix that is too long', { prefix: 'x'.repeat(481) }, /prefix: is longer/],
    ['half of a key pair', { accessKeyId: 'id' }, /secretAccessKey: is missing/],
    ['the other half', { secretAccessKey: 'canary' }, /accessKeyId: is missing/],
    ['a token without keys', { sessionToken: 'canary' }, /accessKeyId: is missing/],
    [
      'more tags than an object bears',
      { tags: Object.fromEntries([...'abcdefgh'].map((t) => [t, 't'])) },
      /more than 7/,
    ],
    ['a key without kms', { kmsKeyId: 'k' }, /kmsKeyId: needs sse/],
    ['keys in the endpoint', { endpoint: 'https://id:canary@host' }, /endpoint: must not hold/],
    ['an endpoint without protocol', { endpoint: 'host:9000' }, /endpoint/],
    ['parts that S3 does not take', { partSize: 1024 }, /partSize/],
    [
      'a secret that is not there',
      { accessKeyId: 'id', secretAccessKey: { env: 'HOLDFAST_NOT_SET' } },
      /HOLDFAST_NOT_SET/,
    ],
  ]
  for (const [name, options, message] of wrong) {
    it(`refuse ${name}`, () => {
      const error = refusal(() => s3({ bucket: 'backups', ...options } as never))
      expect(error.code).toBe('storage-config-invalid')
      expect(error.message).toMatch(message)
      expect(error.message).not.toContain('canary')
    })
  }

  it('every one is described, for forms and docs', () => {
    const schema = z.toJSONSchema(s3OptionsSchema, { io: 'input', unrepresentable: 'any' })
    const entries = Object.entries(schema.properties ?? {})
    expect(entries.length).toBeGreaterThan(20)
    for (const [name, property] of entries)
      expect([name, (property as { description?: string }).description]).toEqual([name, expect.any(String)])
    expect(schema.required).toEqual(['bucket'])
  })
})

describe('the plugin', () => {
  it('makes a storage from a URL', () => {
    expect(s3Plugin).toMatchObject({ kind: 'storage', id: 's3', schemes: ['s3'] })
    expect(s3Plugin.create(s3Plugin.fromUrl('s3://backups/prod')).display).toBe('s3://backups/prod')
  })
})

describe('the client', () => {
  const config = (options: object): ReturnType<typeof clientConfig> =>
    clientConfig(resolveS3Options({ bucket: 'backups', ...options }))

  it('leaves checksums and hosts as AWS has them', () => {
    const aws = config({ region: 'eu-west-3' })
    expect(aws).toMatchObject({ region: 'eu-west-3', forcePathStyle: false, followRegionRedirects: true })
    expect(aws).not.toHaveProperty('requestChecksumCalculation')
    expect(aws).not.toHaveProperty('endpoint')
    expect(aws).not.toHaveProperty('credentials')
  })

  it('asks other services for no more than they need to know', () => {
    expect(config({ endpoint: 'https://r2.example.com' })).toMatchObject({
      endpoint: 'https://r2.example.com',
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
    expect(config({ endpoint: 'https://s3.example.com', pathStyle: false }).forcePathStyle).toBe(false)
  })

  it('takes keys as they are given', () => {
    const secretAccessKey = new Secret('shh')
    expect(config({ accessKeyId: 'id', secretAccessKey, sessionToken: 'token' }).credentials).toEqual({
      accessKeyId: 'id',
      secretAccessKey: 'shh',
      sessionToken: 'token',
    })
  })
})

describe('what is said of an object', () => {
  const metadata = { database: 'shöp & co', type: 'daily', other: 'x' }

  it('no tags unless asked for: not every service takes them', () => {
    expect(describeObject({ tags: false }, metadata, 'id')).not.toHaveProperty('Tagging')
    expect(describeObject({ tags: true }, {}, 'id')).not.toHaveProperty('Tagging')
  })

  it('tags from metadata and options', () => {
    expect(describeObject({ tags: true }, metadata, 'id').Tagging).toBe('database=sh%C3%B6p%20_%20co&type=daily')
    expect(describeObject({ tags: { type: 'mine', a: 'b' } }, metadata, 'id').Tagging).toContain('type=mine&a=b')
  })

  it('odd names become what headers and tags can hold', () => {
    const odd = { database: `"shop"\n#1 東京 ${'x'.repeat(300)}`, 'backup-id': '0198' }
    const { Metadata, Tagging } = describeObject({ tags: true }, odd, 'id')
    expect(Metadata?.database).toMatch(/^"shop"_#1 __ x+$/)
    expect(Metadata).toMatchObject({ 'backup-id': '0198', 'holdfast-put': 'id' })
    const tags = new URLSearchParams(Tagging)
    expect(tags.get('database')).toMatch(/^_shop___1 東京 x+$/)
    expect([tags.get('database')?.length, Metadata?.database?.length]).toEqual([256, 256])
    expect(tags.get('backup-id')).toBe('0198')
  })
})

describe('policies', () => {
  it('the minimal one names nothing outside the prefix', () => {
    const policy = minimalPolicy('acme-backups', '/prod/')
    const [objects, list] = policy.Statement
    expect(objects?.Resource).toBe('arn:aws:s3:::acme-backups/prod/*')
    expect(list).toMatchObject({
      Resource: 'arn:aws:s3:::acme-backups',
      Condition: { StringLike: { 's3:prefix': ['prod/*'] } },
    })
    const actions = policy.Statement.flatMap((statement) => statement.Action)
    expect(actions).not.toContain('s3:DeleteObjectVersion')
    expect(actions.some((action) => action.includes('*'))).toBe(false)
  })

  it('without a prefix it covers the bucket', () => {
    expect(minimalPolicy('acme-backups').Statement[0]?.Resource).toBe('arn:aws:s3:::acme-backups/*')
    expect(minimalPolicy('acme-backups').Statement[1]).not.toHaveProperty('Condition')
  })

  it('the rule for stale uploads', () => {
    expect(staleUploadRule('prod', 3).Rules[0]).toMatchObject({
      Filter: { Prefix: 'prod/' },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 },
    })
    expect(staleUploadRule().Rules[0]?.Filter.Prefix).toBe('')
  })
})

import { describe, expect, it } from 'vitest'
import { environmentReader } from './environment-variables.js'
import {
  compressionFrom,
  s3Settings,
  sourceFromEnvironment,
  storagesFromEnvironment,
  variablesBesideConfig,
} from './from-environment.js'

type Env = Readonly<Record<string, string>>

async function storages(env: Env): Promise<{ places: Record<string, string>; warnings: string[] }> {
  const warnings: string[] = []
  const found = await storagesFromEnvironment({ env, cwd: '/srv/app' }, (message) => warnings.push(message))
  return { places: Object.fromEntries(Object.entries(found).map(([name, { display }]) => [name, display])), warnings }
}

describe('storagesFromEnvironment', () => {
  it.each<[string, Env, Record<string, string>]>([
    ['nothing', {}, { local: '/srv/app/data/backups' }],
    ['a relative directory', { BACKUP_DIR: './b' }, { local: '/srv/app/b' }],
    ['an absolute directory', { BACKUP_STORAGE_PATH: '/mnt/b' }, { local: '/mnt/b' }],
    ['a bucket', { S3_BUCKET: 'acme' }, { s3: 's3://acme' }],
    ['a bucket and a prefix', { BACKUP_S3_BUCKET: 'acme', S3_PATH: '/prod/' }, { s3: 's3://acme/prod' }],
    ['a bucket in S3_URL', { S3_URL: 's3://acme/a%20b?x=1' }, { s3: 's3://acme/a b' }],
    ['both', { S3_BUCKET: 'acme', BACKUP_LOCAL: 'true' }, { local: '/srv/app/data/backups', s3: 's3://acme' }],
    ['a bucket switched off', { S3_BUCKET: 'acme', BACKUP_S3: 'false' }, { local: '/srv/app/data/backups' }],
    ['MinIO', { BACKUP_MINIO: 'true', MINIO_BUCKET: 'acme', MINIO_END_POINT: 'minio' }, { s3: 's3://acme at minio' }],
    ['one of two switches', { BACKUP_S3: 'false', BACKUP_MINIO: 'true', S3_BUCKET: 'acme' }, { s3: 's3://acme' }],
    ['SFTP', { SFTP_URL: 'sftp://me@h:2222/d', SFTP_PASSWORD: 'x' }, { sftp: 'sftp://me@h:2222/d' }],
    [
      'SFTP and a local copy',
      { SFTP_URL: 'sftp://me@h/d', BACKUP_LOCAL: 'true' },
      { local: '/srv/app/data/backups', sftp: 'sftp://me@h/d' },
    ],
    [
      'SFTP as simpler scripts have it',
      { BACKUP_REMOTE_HOST: 'h', BACKUP_REMOTE_USER: 'me', BACKUP_REMOTE_PATH: '~/d', BACKUP_REMOTE: 'true' },
      { sftp: 'sftp://me@h/~/d' },
    ],
    ['SFTP switched off', { BACKUP_REMOTE: 'false', SFTP_URL: 'sftp://h/d' }, { local: '/srv/app/data/backups' }],
  ])('%s', async (_, env, expected) => {
    expect((await storages(env)).places).toEqual(expected)
  })

  it.each<[string, Env, RegExp]>([
    ['S3 without a bucket', { BACKUP_MINIO: 'true' }, /BACKUP_MINIO asks for S3, but no bucket is set/],
    ['everything off', { BACKUP_LOCAL: 'false' }, /turns every storage off/],
    ['SFTP by its switch alone', { BACKUP_REMOTE: 'true' }, /BACKUP_REMOTE asks for SFTP, but no server is set/],
    ['SFTP without a directory', { BACKUP_REMOTE_HOST: 'h' }, /BACKUP_REMOTE_HOST is set, but no directory is/],
    ['two servers', { SFTP_URL: 'sftp://h/d', BACKUP_REMOTE_HOST: 'other' }, /SFTP_URL and BACKUP_REMOTE_HOST/],
    ['an odd switch', { BACKUP_S3: 'perhaps' }, /neither true nor false/],
    ['a URL that cannot be read', { S3_URL: 's3://acme/100%' }, /S3_URL holds a wrong percent-encoding/],
    ['half a key', { S3_BUCKET: 'acme', S3_ACCESS_KEY: 'id' }, /secretAccessKey/],
  ])('refuses: %s', async (_, env, message) => {
    await expect(storages(env)).rejects.toThrow(message)
  })

  it('warns of a directory that has no effect', async () => {
    const { warnings } = await storages({ S3_BUCKET: 'acme', BACKUP_STORAGE_PATH: './b' })
    expect(warnings).toEqual([expect.stringMatching(/^BACKUP_STORAGE_PATH has no effect/)])
    expect((await storages({ S3_BUCKET: 'acme', BACKUP_DIR: './b', BACKUP_LOCAL: '1' })).warnings).toEqual([])
  })
})

describe('s3Settings', () => {
  const settings = (env: Env): unknown => s3Settings(environmentReader(env))

  it('reads every variable', () => {
    expect(
      settings({
        S3_REGION: 'eu-west-3',
        S3_ACCESS_KEY_ID: 'id',
        S3_SECRET_ACCESS_KEY: 'key',
        S3_ENDPOINT: 'https://s3.example.com',
        S3_PATH_STYLE: 'false',
        S3_STORAGE_CLASS: 'STANDARD_IA',
        S3_SSE: 'AES256',
      }),
    ).toEqual({
      region: 'eu-west-3',
      accessKeyId: 'id',
      secretAccessKey: 'key',
      endpoint: 'https://s3.example.com',
      pathStyle: false,
      storageClass: 'STANDARD_IA',
      sse: 'AES256',
    })
  })

  it.each<[Env, string | undefined]>([
    [{}, undefined],
    [{ MINIO_END_POINT: 'minio', MINIO_PORT: '9000' }, 'http://minio:9000'],
    [{ MINIO_END_POINT: 'minio', MINIO_USE_SSL: 'true' }, 'https://minio'],
    [{ MINIO_END_POINT: 'https://minio:9443/', MINIO_PORT: '9000' }, 'https://minio:9443'],
    [{ S3_URL: 'http://minio:9000/', MINIO_END_POINT: 'minio', MINIO_PORT: '9000' }, 'http://minio:9000/'],
    [{ S3_URL: 's3://bucket' }, undefined],
  ])('takes the endpoint from %j', (env, endpoint) => {
    expect(settings(env)).toEqual(endpoint === undefined ? {} : { endpoint })
  })

  it('refuses two endpoints', () => {
    expect(() => settings({ S3_ENDPOINT: 'http://a', MINIO_END_POINT: 'b' })).toThrow(/disagree/)
  })
})

describe('sourceFromEnvironment', () => {
  const source = (env: Env) => sourceFromEnvironment(environmentReader(env), {})

  it('reads the URL of the database', async () => {
    expect((await source({ POSTGRES_CONNECTION_STRING: 'postgres://u:p@h:1/d' }))?.display).toBe('h:1/d')
    expect(await source({})).toBeUndefined()
  })
})

describe('compressionFrom', () => {
  it.each([
    [{}, undefined],
    [{ BACKUP_COMPRESSION: 'true' }, 'zstd'],
    [{ BACKUP_COMPRESSION: 'False' }, 'none'],
    [{ BACKUP_COMPRESSION: 'zstd:9' }, 'zstd:9'],
  ])('%j is %j', (env, expected) => {
    expect(compressionFrom(environmentReader(env))).toBe(expected)
  })
})

describe('variablesBesideConfig', () => {
  it('names sources and storages, as they are set, and nothing else', () => {
    const env = { DATABASE_URL_FILE: '/x', S3_URL: 's3://b', BACKUP_COMPRESSION: 'zstd', PATH: '/bin' }
    expect(variablesBesideConfig(env)).toEqual(['DATABASE_URL_FILE', 'S3_URL'])
  })
})

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { BackupError, type Driver, type Storage } from '@holdfast/core'
import type { World } from '../world.js'
import {
  booleanOf,
  environmentReader,
  environmentVariables as known,
  namesSet,
  type ReadVariable,
} from './environment-variables.js'
import { storagePlugins } from './plugins.js'
import { sftpPlaceFrom, sftpSettings } from './sftp-from-environment.js'
import { type SourceOptions, sourceFromText } from './source-from-text.js'
import { urlText } from './url-text.js'

/** Where local backups lie when nothing says otherwise. */
export const defaultDirectory = './data/backups'

/** Name of the job that DATABASE_URL makes. */
export const environmentJob = 'default'

/** The database of DATABASE_URL; `undefined` where it is not set. */
export async function sourceFromEnvironment(read: ReadVariable, options: SourceOptions): Promise<Driver | undefined> {
  const url = read(known.databaseUrl)
  return url === undefined ? undefined : sourceFromText(url, options)
}

/**
 * The storages of the environment: S3 where a bucket is set, SFTP where a server is, and a local directory unless another storage is.
 *
 * @param warn - Is told of settings that have no effect.
 * @param create - Whether the local directory is made where it is not there.
 * @throws {BackupError} `config-invalid`, `storage-config-invalid`.
 */
export async function storagesFromEnvironment(
  { env, cwd }: Pick<World, 'env' | 'cwd'>,
  warn: (message: string) => void,
  create: boolean = true,
): Promise<Readonly<Record<string, Storage>>> {
  const read = environmentReader(env)
  const [local, s3, sftp] = storagePlugins
  const sftpPlace = sftpPlaceFrom(read)
  const bucket = read(known.s3Bucket) ?? bucketOfUrl(read)
  const switches = [known.backupS3, known.backupMinio].map(({ name, ...rest }) =>
    booleanOf(read({ name, ...rest }), name),
  )
  const wantsS3 = switches.includes(true) || (bucket !== undefined && !switches.includes(false))
  if (wantsS3 && bucket === undefined) {
    throw new BackupError('storage-config-invalid', {
      message: `${switches[0] ? 'BACKUP_S3' : 'BACKUP_MINIO'} asks for S3, but no bucket is set`,
      hint: 'Set S3_BUCKET.',
    })
  }
  const storages: Record<string, Storage> = {}
  if (booleanOf(read(known.backupLocal), known.backupLocal.name) ?? !(wantsS3 || sftpPlace)) {
    const path = resolve(cwd, read(known.backupDir) ?? defaultDirectory)
    const isSaid = wantsS3 || sftpPlace !== undefined || read(known.backupDir) !== undefined
    if (!create && !isSaid && !existsSync(path)) throw nothingSaid(path)
    storages.local = (await local.load()).create({ path, name: 'local', create })
  } else if (read(known.backupDir) !== undefined && !booleanOf(read(known.backupLocal), '')) {
    warn(
      `${namesSet(known.backupDir, env)[0]} has no effect: backups go to ${wantsS3 ? 'S3' : 'SFTP'}. Set BACKUP_LOCAL=true to keep a local copy too.`,
    )
  }
  if (wantsS3 && s3) {
    const prefix = read(known.s3Prefix)
    const place = prefix === undefined ? s3UrlOptions(read) : { prefix }
    storages.s3 = (await s3.load()).create({ ...s3Settings(read), ...place, bucket, name: 's3' })
  }
  if (sftpPlace && sftp) {
    const { fromUrl, create: make } = await sftp.load()
    const place = typeof sftpPlace === 'string' ? (fromUrl(sftpPlace) as object) : sftpPlace
    storages.sftp = make({ ...sftpSettings(read), ...place, name: 'sftp' })
  }
  if (Object.keys(storages).length === 0) {
    throw new BackupError('storage-config-invalid', {
      message: 'The environment turns every storage off',
      hint: 'Set BACKUP_LOCAL=true, S3_BUCKET or SFTP_URL, or name a storage on the command line.',
    })
  }
  return storages
}

/** Options of S3 that do not say which bucket. */
export function s3Settings(read: ReadVariable): Readonly<Record<string, unknown>> {
  const endpoint = endpointFrom(read)
  const settings = {
    region: read(known.s3Region),
    accessKeyId: read(known.s3AccessKeyId),
    secretAccessKey: read(known.s3SecretAccessKey),
    endpoint,
    pathStyle: booleanOf(read(known.s3PathStyle), known.s3PathStyle.name),
    storageClass: read(known.s3StorageClass),
    sse: read(known.s3Sse),
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

/** BACKUP_COMPRESSION as a job takes it. */
export function compressionFrom(read: ReadVariable): string | undefined {
  const value = read(known.compression)?.trim().toLowerCase()
  if (value === 'true') return 'zstd'
  return value === 'false' ? 'none' : value
}

/** Variables that a config file makes ineffective, by the names under which they are set. */
export function variablesBesideConfig(env: World['env']): string[] {
  return Object.values(known)
    .filter(({ group }) => group !== 'job')
    .flatMap((variable) => namesSet(variable, env))
}

/** S3_URL is the endpoint for some scripts, and `s3://bucket/prefix` for others. */
function isPlace(url: string | undefined): boolean {
  return url?.toLowerCase().startsWith('s3://') ?? false
}

function bucketOfUrl(read: ReadVariable): string | undefined {
  const url = read(known.s3Endpoint)
  return /^s3:\/\/([^/?]+)/i.exec(url ?? '')?.[1]
}

function s3UrlOptions(read: ReadVariable): { prefix?: string } {
  const url = read(known.s3Endpoint)
  const prefix = /^s3:\/\/[^/?]+\/([^?]+)/i.exec(url ?? '')?.[1]
  return prefix === undefined ? {} : { prefix: urlText(prefix, 'S3_URL') }
}

function endpointFrom(read: ReadVariable): string | undefined {
  const url = read(known.s3Endpoint)
  const own = isPlace(url) ? undefined : url
  const minio = minioEndpoint(read)
  if (own !== undefined && minio !== undefined && own.replace(/\/+$/, '') !== minio) {
    throw new BackupError('config-invalid', {
      message: 'The environment variables S3_ENDPOINT and MINIO_END_POINT mean the same and disagree',
      hint: 'Keep one of them; S3_ENDPOINT is the usual name.',
    })
  }
  return own ?? minio
}

function minioEndpoint(read: ReadVariable): string | undefined {
  const host = read(known.minioEndpoint)
  if (host === undefined) return undefined
  const port = read(known.minioPort)
  const scheme = booleanOf(read(known.minioUseSsl), known.minioUseSsl.name) ? 'https' : 'http'
  const base = /^https?:\/\//.test(host) ? host.replace(/\/+$/, '') : `${scheme}://${host}`
  return port === undefined || /:\d+$/.test(base) ? base : `${base}:${port}`
}

function nothingSaid(path: string): BackupError {
  return new BackupError('storage-config-invalid', {
    message: `It is not said where the backups are, and the default directory, ${path}, is not there`,
    hint: 'Name the place with --from, a directory or s3://bucket/prefix; or set BACKUP_DIR or S3_BUCKET, or write holdfast.config.ts.',
  })
}

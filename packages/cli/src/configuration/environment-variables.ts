import { readFileSync } from 'node:fs'
import { BackupError, messageOf } from '@holdfast/core'
import type { World } from '../world.js'

type Group = 'source' | 'storage' | 'job'

/** A variable of the table in the documentation. */
export interface EnvironmentVariable {
  readonly name: string
  /** Names from simpler scripts that mean the same. */
  readonly alternatives: readonly string[]
  /** `source` and `storage` are ignored when there is a config file. */
  readonly group: Group
  readonly secret?: boolean
  /** Read as `''` where it is set to nothing: what was meant by it is not known. */
  readonly countsEmpty?: boolean
}

/** What each variable is called here. */
export type VariableKey =
  | 'databaseUrl'
  | 'backupDir'
  | 'backupLocal'
  | 'backupS3'
  | 'backupMinio'
  | 'backupRemote'
  | 'compression'
  | 'retention'
  | 'retentionDays'
  | 'encrypt'
  | 'ageRecipients'
  | 'gpgRecipient'
  | 'ageIdentity'
  | 's3Bucket'
  | 's3Region'
  | 's3AccessKeyId'
  | 's3SecretAccessKey'
  | 's3Endpoint'
  | 's3Prefix'
  | 's3PathStyle'
  | 's3StorageClass'
  | 's3Sse'
  | 'minioEndpoint'
  | 'minioPort'
  | 'minioUseSsl'
  | 'sftpUrl'
  | 'sftpPrivateKey'
  | 'sftpPassphrase'
  | 'sftpPassword'
  | 'sftpHostFingerprint'
  | 'remoteHost'
  | 'remoteUser'
  | 'remotePath'

const variable = (
  name: string,
  group: Group,
  alternatives: readonly string[] = [],
  secret = false,
): EnvironmentVariable => ({ name, group, alternatives, secret })

/** One that asks for encryption: a secret that has not arrived must not mean a backup in plain. */
const demand = (name: string): EnvironmentVariable => ({ ...variable(name, 'job'), countsEmpty: true })

/** What the commands read from the environment. Every name is also read with `_FILE`, as a path to the value. */
export const environmentVariables: Readonly<Record<VariableKey, EnvironmentVariable>> = {
  databaseUrl: variable('DATABASE_URL', 'source', ['POSTGRES_CONNECTION_STRING'], true),
  backupDir: variable('BACKUP_DIR', 'storage', ['BACKUP_STORAGE_PATH']),
  backupLocal: variable('BACKUP_LOCAL', 'storage'),
  backupS3: variable('BACKUP_S3', 'storage'),
  backupMinio: variable('BACKUP_MINIO', 'storage'),
  backupRemote: variable('BACKUP_REMOTE', 'storage'),
  compression: variable('BACKUP_COMPRESSION', 'job'),
  retention: variable('BACKUP_RETENTION', 'job'),
  retentionDays: variable('BACKUP_RETENTION_DAYS', 'job'),
  encrypt: demand('BACKUP_ENCRYPT'),
  ageRecipients: demand('BACKUP_AGE_RECIPIENTS'),
  gpgRecipient: demand('BACKUP_GPG_RECIPIENT'),
  ageIdentity: variable('BACKUP_AGE_IDENTITY', 'job', [], true),
  s3Bucket: variable('S3_BUCKET', 'storage', ['BACKUP_S3_BUCKET', 'MINIO_BUCKET']),
  s3Region: variable('S3_REGION', 'storage'),
  s3AccessKeyId: variable('S3_ACCESS_KEY_ID', 'storage', ['S3_ACCESS_KEY', 'MINIO_ACCESS_KEY']),
  s3SecretAccessKey: variable('S3_SECRET_ACCESS_KEY', 'storage', ['S3_SECRET_KEY', 'MINIO_SECRET_KEY'], true),
  s3Endpoint: variable('S3_ENDPOINT', 'storage', ['S3_URL']),
  s3Prefix: variable('S3_PREFIX', 'storage', ['S3_PATH']),
  s3PathStyle: variable('S3_PATH_STYLE', 'storage'),
  s3StorageClass: variable('S3_STORAGE_CLASS', 'storage'),
  s3Sse: variable('S3_SSE', 'storage'),
  minioEndpoint: variable('MINIO_END_POINT', 'storage'),
  minioPort: variable('MINIO_PORT', 'storage'),
  minioUseSsl: variable('MINIO_USE_SSL', 'storage'),
  sftpUrl: variable('SFTP_URL', 'storage', [], true),
  sftpPrivateKey: variable('SFTP_PRIVATE_KEY', 'storage', ['BACKUP_REMOTE_SSH_KEY'], true),
  sftpPassphrase: variable('SFTP_PASSPHRASE', 'storage', [], true),
  sftpPassword: variable('SFTP_PASSWORD', 'storage', [], true),
  sftpHostFingerprint: variable('SFTP_HOST_FINGERPRINT', 'storage'),
  remoteHost: variable('BACKUP_REMOTE_HOST', 'storage'),
  remoteUser: variable('BACKUP_REMOTE_USER', 'storage'),
  remotePath: variable('BACKUP_REMOTE_PATH', 'storage'),
}

/** Reads a variable by its name, its alternatives, and the files that either may name. */
export type ReadVariable = (variable: EnvironmentVariable) => string | undefined

/**
 * Reads variables of an environment. An empty value counts as not set, except where encryption may have been meant.
 *
 * @throws {BackupError} `config-invalid` when two names of one variable disagree, or a file cannot be read.
 */
export function environmentReader(env: World['env']): ReadVariable {
  return (variable) => {
    const found = namesSet(variable, env).map((name) => ({ name, value: valueUnder(name, env) }))
    const [first, ...others] = found
    const other = others.find(({ value }) => value !== first?.value)
    if (first && other) {
      throw new BackupError('config-invalid', {
        message: `The environment variables ${first.name} and ${other.name} mean the same and disagree`,
        hint: `Keep one of them; ${variable.name} is the usual name.`,
      })
    }
    if (first) return first.value
    return variable.countsEmpty && isEmpty(variable, env) ? '' : undefined
  }
}

/** The names under which a variable is set. */
export function namesSet({ name, alternatives }: EnvironmentVariable, env: World['env']): string[] {
  return [name, ...alternatives].flatMap((each) => [each, `${each}_FILE`]).filter((each) => env[each])
}

function isEmpty({ name, alternatives }: EnvironmentVariable, env: World['env']): boolean {
  return [name, ...alternatives].some((each) => env[each] === '' || env[`${each}_FILE`] === '')
}

/** Values that must never be written: secrets of the table, and of the clients that read the environment themselves. */
export function secretsIn(env: World['env']): string[] {
  const own = Object.values(environmentVariables)
    .filter(({ secret }) => secret === true)
    .flatMap((each) => namesSet(each, env))
    .filter((name) => !name.endsWith('_FILE') && !name.endsWith('_URL') && name !== 'POSTGRES_CONNECTION_STRING')
  const foreign = ['PGPASSWORD', 'MYSQL_PWD', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'ENCRYPTION_KEY']
  return [...own, ...foreign].map((name) => env[name] ?? '').filter((value) => value !== '')
}

/**
 * Reads yes or no.
 *
 * @throws {BackupError} `config-invalid`.
 */
export function booleanOf(value: string | undefined, name: string): boolean | undefined {
  if (value === undefined) return undefined
  const text = value.trim().toLowerCase()
  if (['true', '1', 'yes', 'on'].includes(text)) return true
  if (['false', '0', 'no', 'off'].includes(text)) return false
  throw new BackupError('config-invalid', {
    message: `The environment variable ${name} is ${JSON.stringify(value)}, which is neither true nor false`,
    hint: 'Set it to true or false.',
  })
}

function valueUnder(name: string, env: World['env']): string {
  const value = env[name] ?? ''
  if (!name.endsWith('_FILE')) return value
  try {
    return readFileSync(value, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new BackupError('config-invalid', {
      message: `The file that ${name} names cannot be read: ${messageOf(error)}`,
      hint: `Check the path and its permissions, or set ${name.replace(/_FILE$/, '')}.`,
      cause: error,
    })
  }
}

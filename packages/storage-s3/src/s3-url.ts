import { BackupError } from '@holdfast/core'
import type { S3Options } from './options.js'

/** What a URL may set beside bucket and prefix. Keys never: URLs end up in logs and process lists. */
const parameters = ['region', 'endpoint', 'pathStyle', 'storageClass', 'sse', 'kmsKeyId', 'caFile'] as const

/**
 * Reads `s3://bucket/prefix?region=&endpoint=&pathStyle=` into options.
 *
 * @throws {BackupError} `storage-config-invalid`.
 *
 * @example
 * ```ts
 * import { optionsFromUrl } from '@holdfast/storage-s3'
 *
 * optionsFromUrl('s3://acme-backups/prod?region=eu-west-3')
 * // { bucket: 'acme-backups', prefix: 'prod', region: 'eu-west-3' }
 * ```
 */
export function optionsFromUrl(url: string): S3Options {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 's3:' || parsed.hostname === '') throw unreadable('is not of the form s3://bucket/prefix')
  if (parsed.username || parsed.password)
    throw unreadable('holds keys', 'Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.')
  if (parsed.port || parsed.hash) throw unreadable('has a port or fragment', 'Name a server with ?endpoint=')
  const options: S3Options = { bucket: parsed.hostname }
  const prefix = decode(parsed.pathname).replace(/^\/+|\/+$/g, '')
  if (prefix) options.prefix = prefix
  for (const [name, value] of parsed.searchParams) set(options, name, value)
  return options
}

function set(options: S3Options, name: string, value: string): void {
  const parameter = parameters.find((known) => known === name)
  if (!parameter) throw unreadable(`has the unknown parameter ${name}`, `Known are ${parameters.join(', ')}.`)
  if (parameter === 'pathStyle') {
    if (value !== 'true' && value !== 'false') throw unreadable('has a pathStyle that is neither true nor false')
    options.pathStyle = value === 'true'
  } else if (parameter === 'sse') {
    if (value !== 'AES256' && value !== 'aws:kms') throw unreadable('has an sse that is neither AES256 nor aws:kms')
    options.sse = value
  } else if (value !== '') options[parameter] = value
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw unreadable('has a path that cannot be decoded')
  }
}

/** The URL itself stays out of the message: it may hold what should not be there. */
function unreadable(what: string, hint?: string): BackupError {
  return new BackupError('storage-config-invalid', {
    message: `The URL of the S3 storage ${what}`,
    hint: hint ?? 'For example s3://my-bucket/backups?region=eu-west-3',
  })
}

import { BackupError } from '../backup-error.js'
import type { Codec } from './codec.js'
import { gzip } from './gzip.js'
import { none } from './none.js'
import { zstd } from './zstd.js'

/**
 * Reads a compression as users write it: `zstd`, `zstd:9`, `gzip`, `gzip:6`, `none`; `true` is `zstd`, `false` is
 * `none`, as booleans and as text.
 *
 * @throws {BackupError} `config-invalid` for anything else, or a level that the compression does not have.
 */
export function parseCompression(value: string | boolean): Codec {
  const [name, level, ...rest] = String(value).trim().toLowerCase().split(':')
  if (rest.length === 0 && (level === undefined || /^\d+$/.test(level))) {
    const options = level === undefined ? {} : { level: Number(level) }
    if (name === 'zstd') return zstd(options)
    if (name === 'gzip') return gzip(options)
    if (level === undefined && name === 'true') return zstd()
    if (level === undefined && (name === 'none' || name === 'false')) return none()
  }
  throw new BackupError('config-invalid', {
    message: `${JSON.stringify(value)} is not a compression`,
    hint: 'Use zstd, gzip or none; a level may follow, as in zstd:9 or gzip:6.',
  })
}

import { BackupError } from '../backup-error.js'
import { newestFirst, type RetentionStrategy } from './retention-strategy.js'

const units: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/**
 * Keeps the newest backups that fit into a size together. The first that does not fit goes, and every older one.
 *
 * @param size - Bytes, or text such as `'50GiB'` or `'500MB'`; of what is stored on each storage.
 * @throws {BackupError} `config-invalid`.
 * @example
 * ```ts
 * import { maxTotalSize } from '@holdfast/core'
 *
 * const retention = maxTotalSize('50GiB')
 * ```
 */
export function maxTotalSize(size: number | string): RetentionStrategy {
  const limit = bytesOf(size)
  return {
    name: `at most ${size} in all`,
    decide(backups) {
      let total = 0
      return newestFirst(backups).map(({ id, storedBytes }) => {
        total += storedBytes
        const keep = total <= limit
        return { id, keep, reasons: [`${keep ? 'within' : 'beyond'} ${size} in all`] }
      })
    },
  }
}

function bytesOf(size: number | string): number {
  const found = /^(?<count>\d+(?:\.\d+)?) ?(?<unit>[kKMGT]?i?B)$/.exec(
    typeof size === 'number' ? `${size}B` : size,
  )?.groups
  const bytes = Number(found?.count) * (units[found?.unit ?? ''] ?? Number.NaN)
  if (bytes > 0) return bytes
  throw new BackupError('config-invalid', {
    message: `The size of maxTotalSize is ${JSON.stringify(size)}`,
    hint: 'Give bytes, or text such as "50GiB" or "500MB".',
  })
}

import { type Duration, durationMs } from '../duration.js'
import type { RetentionStrategy } from './retention-strategy.js'

/**
 * Keeps what is no older than a span of time, by the clock of today. When backups stop, they grow too old one after the
 * other; the newest stays all the same.
 *
 * @throws {BackupError} `config-invalid`.
 * @example
 * ```ts
 * import { maxAge } from '@holdfast/core'
 *
 * const retention = maxAge('30d')
 * ```
 */
export function maxAge(age: Duration): RetentionStrategy {
  const ms = durationMs(age, 'The age of maxAge')
  return {
    name: `no older than ${age}`,
    decide: (backups, now) =>
      backups.map(({ id, startedAt }) => {
        const keep = now.getTime() - startedAt.getTime() <= ms
        return { id, keep, reasons: [`${keep ? 'no older' : 'older'} than ${age}`] }
      }),
  }
}

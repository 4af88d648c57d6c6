import { BackupError, isBackupError, messageOf } from '../backup-error.js'
import type { CopyOutcome } from './layout.js'

/**
 * @throws {BackupError} `too-few-copies` when fewer than `minCopies` copies are complete; retryable if a copy that
 *   failed is.
 */
export function requireCopies(copies: readonly CopyOutcome[], minCopies: number): void {
  const complete = copies.filter(({ status }) => status === 'complete').length
  if (complete >= minCopies) return
  const failed = copies.filter((copy) => copy.status === 'failed')
  const first = failed[0]?.error
  throw new BackupError('too-few-copies', {
    message: `${complete} of at least ${minCopies} copies could be written: ${failed.map((copy) => `${copy.storage.name}: ${messageOf(copy.error)}`).join('; ')}`,
    hint: isBackupError(first) ? first.hint : undefined,
    retryable: failed.some(({ error }) => isBackupError(error) && error.retryable),
    cause: first,
  })
}

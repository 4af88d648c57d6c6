import type { BackupCopy } from '@holdfast/core'
import type { Paint } from './colours.js'

/** `disk, offsite (missing)`: copies that are whole by their name, others with what is wrong. */
export function describeCopies(copies: readonly BackupCopy[], paint: Paint): string {
  return copies
    .map(({ storage, status }) => (status === 'complete' ? storage : `${storage} ${paint.bad(`(${status})`)}`))
    .join(', ')
}

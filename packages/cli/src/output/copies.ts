import type { BackupCopy } from '@holdfast/core'
import type { Paint } from './colours.js'
import { shortPlace } from './short-place.js'

/** `disk, offsite (missing)`: copies that are whole by their name, others with what is wrong. */
export function describeCopies(copies: readonly BackupCopy[], paint: Paint): string {
  return copies
    .map(({ storage, status }) => {
      const place = shortPlace(storage)
      return status === 'complete' ? place : `${place} ${paint.bad(`(${status})`)}`
    })
    .join(', ')
}

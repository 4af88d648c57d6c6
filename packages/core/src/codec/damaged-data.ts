import { BackupError, messageOf } from '../backup-error.js'

/** Compressed data that are damaged, end early, or go on after their end. */
export function damagedData(codec: string, reason: string, cause?: unknown): BackupError {
  return new BackupError('corrupt', {
    message: `The ${codec} data are damaged: ${reason}${cause === undefined ? '' : ` (${messageOf(cause)})`}`,
    hint: 'Use another copy of this backup, or an older one; `holdfast verify` tells which are whole.',
    cause,
  })
}

/** The compressor itself gave up: for want of memory, say. */
export function compressionFailed(reason: string, cause?: unknown): BackupError {
  return new BackupError('internal', {
    message: `The plain data could not be compressed: ${reason}${cause === undefined ? '' : ` (${messageOf(cause)})`}`,
    hint: 'See whether this host has memory left.',
    cause,
  })
}

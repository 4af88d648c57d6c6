import { BackupError, type BackupErrorCode, messageOf } from '../backup-error.js'
import { lacksDescriptors } from './free-descriptors.js'

/** The error of a program that the system could not start, though it is there. */
export function notStarted(code: BackupErrorCode, name: string, cause: unknown): BackupError {
  if (lacksDescriptors(cause)) return tooManyOpen(code, `${name} could not be started`, cause)
  return new BackupError(code, {
    message: `${name} could not be started: ${messageOf(cause)}`,
    hint: 'Check the working directory, and that the system has memory and process slots left.',
    cause,
  })
}

/** The error of what failed for want of descriptors, which says nothing about the thing itself. */
export function tooManyOpen(code: BackupErrorCode, what: string, cause: unknown): BackupError {
  return new BackupError(code, {
    message: `${what}: too many files are open`,
    hint: 'Raise the limit (ulimit -n; LimitNOFILE= of a systemd unit), or let fewer jobs run at once.',
    retryable: true,
    cause,
  })
}

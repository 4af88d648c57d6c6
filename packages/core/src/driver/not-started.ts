import { BackupError, type BackupErrorCode, messageOf } from '../backup-error.js'
import { lacksDescriptors } from './free-descriptors.js'

/** The error of a program that the system could not start, though it is there. */
export function notStarted(code: BackupErrorCode, name: string, cause: unknown): BackupError {
  if (lacksDescriptors(cause)) {
    return new BackupError(code, {
      message: `${name} could not be started: too many files are open`,
      hint: 'Raise the limit (ulimit -n; LimitNOFILE= of a systemd unit), or let fewer jobs run at once.',
      retryable: true,
      cause,
    })
  }
  return new BackupError(code, {
    message: `${name} could not be started: ${messageOf(cause)}`,
    hint: 'Check the working directory, and that the system has memory and process slots left.',
    cause,
  })
}

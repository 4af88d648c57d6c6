import { BackupError, isBackupError } from '@holdfast/core'

/** Whether `error` comes from the system and bears one of `codes`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | undefined)?.code ?? '')
}

/** Says what failed on what, and what to do, in place of the system's error. */
export function toStorageError(error: unknown, doing: string): BackupError {
  if (isBackupError(error)) return error
  const code = (error as NodeJS.ErrnoException).code ?? String(error)
  const failed = (why: string): string => `${doing} failed: ${why} (${code})`
  switch (code) {
    case 'ENOSPC':
      return new BackupError('storage-full', {
        message: failed('no space is left on the file system'),
        hint: 'Free space there or move the storage to a larger volume. Earlier backups are untouched.',
        cause: error,
      })
    case 'EDQUOT':
      return new BackupError('storage-full', {
        message: failed('the disk quota of this user is used up'),
        hint: 'Free space or have the quota raised. Earlier backups are untouched.',
        cause: error,
      })
    case 'EFBIG':
      return new BackupError('storage-full', {
        message: failed('the file is larger than the file system or a limit of this process allows'),
        hint: 'Look at `ulimit -f`, and whether the file system takes files of this size.',
        cause: error,
      })
    case 'EACCES':
    case 'EPERM':
      return new BackupError('storage-denied', {
        message: failed('this user may not'),
        hint: 'The directory must belong to the user that runs Holdfast, with mode 0700.',
        cause: error,
      })
    case 'EROFS':
      return new BackupError('storage-denied', {
        message: failed('the file system is mounted read-only'),
        hint: 'Mount it for writing, and look in the system log whether the disk has errors.',
        cause: error,
      })
    case 'EIO':
      return new BackupError('unavailable', {
        message: failed('the disk reports an error'),
        hint: 'Look in the system log: the disk or its connection may be failing.',
        cause: error,
      })
    default:
      return new BackupError('unavailable', { message: failed('the system refuses'), retryable: true, cause: error })
  }
}

/** What `work` resolves to; its failure is told as `doing … failed`. */
export async function explained<Result>(doing: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw toStorageError(error, doing)
  }
}

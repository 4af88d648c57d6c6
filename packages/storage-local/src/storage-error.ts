import { BackupError, type BackupErrorCode, isBackupError } from '@holdfast/core'

/** Whether `error` comes from the system and bears one of `codes`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | undefined)?.code ?? '')
}

/** What an error of the system means, and what to do about it. */
interface Meaning {
  readonly code: BackupErrorCode
  readonly why: string
  readonly hint?: string
  readonly retryable?: true
}

const denied: Meaning = {
  code: 'storage-denied',
  why: 'this user may not',
  hint: 'Give the user that runs Holdfast the right to write in the directory, or in the one above where it is still to be made; best is one that belongs to that user, with mode 0700.',
}

const meanings: Readonly<Record<string, Meaning>> = {
  ENOSPC: {
    code: 'storage-full',
    why: 'no space is left on the file system',
    hint: 'Free space there or move the storage to a larger volume. Earlier backups are untouched.',
  },
  EDQUOT: {
    code: 'storage-full',
    why: 'the disk quota of this user is used up',
    hint: 'Free space or have the quota raised. Earlier backups are untouched.',
  },
  EFBIG: {
    code: 'storage-full',
    why: 'the file is larger than the file system or a limit of this process allows',
    hint: 'Look at `ulimit -f`, and whether the file system takes files of this size.',
  },
  EACCES: denied,
  EPERM: denied,
  EROFS: {
    code: 'storage-denied',
    why: 'the file system is mounted read-only',
    hint: 'Mount it for writing, and look in the system log whether the disk has errors.',
  },
  ENOENT: {
    code: 'unavailable',
    why: 'a directory on the way is not there, or cannot be made on this file system',
    hint: 'Check the path, and that its volume is mounted.',
    retryable: true,
  },
  EIO: {
    code: 'unavailable',
    why: 'the disk reports an error',
    hint: 'Look in the system log: the disk or its connection may be failing.',
  },
}

const unknown: Meaning = { code: 'unavailable', why: 'the system refuses', retryable: true }

/** Says what failed on what, and what to do, in place of the system's error. */
export function toStorageError(error: unknown, doing: string): BackupError {
  if (isBackupError(error)) return error
  const code = (error as NodeJS.ErrnoException).code ?? String(error)
  const { why, code: kind, ...rest } = (Object.hasOwn(meanings, code) ? meanings[code] : undefined) ?? unknown
  return new BackupError(kind, { message: `${doing} failed: ${why} (${code})`, ...rest, cause: error })
}

/** What `work` resolves to; its failure is told as `doing … failed`. */
export async function explained<Result>(doing: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw toStorageError(error, doing)
  }
}

/**
 * The closed list of what can go wrong. A code is a promise: programs branch on it, so none is ever renamed.
 * The comment says when it is thrown.
 */
export const backupErrorCodes = [
  // configuration
  'config-invalid', // a config file, option, URL or environment variable cannot be used as it stands
  'storage-config-invalid', // the settings of a storage cannot work: no such bucket, no such directory and not to be created
  // selection
  'no-match', // nothing is called that
  'ambiguous', // more than one thing is called that
  // source database
  'source-unreachable', // no answer from the database server (retryable)
  'source-denied', // the server refused the user, the password or a permission
  'source-missing', // the server has no such database
  // client tools
  'tool-missing', // a program such as pg_dump or zstd is not installed
  'tool-too-old', // it is, and cannot read this server or archive
  // dump
  'dump-failed', // the dump program ended with an error
  'dump-incomplete', // it ended well but its output lacks the end
  'timed-out', // nothing moved for the idle time, or the total time is over (retryable)
  // storages
  'unavailable', // the storage does not answer, or not now (retryable)
  'storage-denied', // wrong keys, no permission
  'storage-full', // no space or quota left
  'storage-identity', // the storage is not the one that was used before (volume not mounted)
  'not-found', // no object under that key
  'already-exists', // the key is taken and `ifAbsent` was set
  'invalid-key', // the key breaks the rules of object keys
  'read-only', // the storage was opened for reading only
  'stalled', // a copy accepted no byte for the stall time
  'too-few-copies', // fewer than `minCopies` copies are complete; what is complete all the same stays and is listed
  'busy', // another run of the same job holds the lease (retryable)
  'lease-lost', // this run was paused beyond its lease and another took over; nothing was committed
  // data
  'corrupt', // stored or plain bytes differ from what the manifest says
  'manifest-invalid', // not a manifest, or its digest fails
  'manifest-too-new', // written by a newer format version than this one reads
  'wrong-key', // the identity or passphrase cannot open this backup
  // restore
  'target-not-empty', // the target holds data and no mode says what to do with it
  'target-in-use', // other connections hold the target
  'restore-refused', // the preflight found something missing; the target was not touched
  'restore-failed', // the restore program ended with an error
  // the rest
  'aborted', // the caller aborted without giving a reason of its own
  'internal', // a defect of Holdfast or of a plugin
] as const

/** One of {@link backupErrorCodes}. */
export type BackupErrorCode = (typeof backupErrorCodes)[number]

/** What a {@link BackupError} is made of. */
export interface BackupErrorOptions {
  /** What failed, and on what. One sentence, no full stop, no secret. */
  readonly message: string
  /** What to do about it: a sentence or two, with the command or setting where there is one. */
  readonly hint?: string | undefined
  /** Whether trying the same again later may succeed without anybody changing anything. Default `false`. */
  readonly retryable?: boolean | undefined
  /** The error beneath. */
  readonly cause?: unknown
}

/**
 * The one error class of Holdfast.
 *
 * @example
 * ```ts
 * import { BackupError } from '@holdfast/core'
 *
 * throw new BackupError('tool-missing', {
 *   message: 'pg_dump was not found',
 *   hint: 'Install postgresql-client-17, or set binDir to where pg_dump is.',
 * })
 * ```
 */
export class BackupError extends Error {
  override readonly name = 'BackupError'
  readonly code: BackupErrorCode
  readonly hint: string | undefined
  readonly retryable: boolean

  constructor(code: BackupErrorCode, options: BackupErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.retryable = options.retryable ?? false
  }
}

/** Whether `error` is a {@link BackupError}, of `code` if one is given. Works across copies of this package. */
export function isBackupError(error: unknown, code?: BackupErrorCode): error is BackupError {
  return (
    error instanceof Error &&
    error.name === 'BackupError' &&
    (code === undefined || (error as BackupError).code === code)
  )
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

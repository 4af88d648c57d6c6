import { BackupError, type BackupErrorCode, type BackupErrorOptions, isBackupError } from '@holdfast/core'
import { type ResolvedSftpOptions, serverOf } from './options.js'

/** Status codes of SFTP that are looked at. Those beyond 8 are of later versions, which some servers send all the same. */
export const status = {
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
  alreadyExists: 11,
  writeProtected: 12,
  noSpace: 14,
  quotaExceeded: 15,
} as const

/** Whether a server answered with one of `codes`. */
export function hasStatus(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof Error && codes.includes((error as Error & { code?: unknown }).code as number)
}

/** Says what failed on what, and what to do, in place of the server's answer. */
export function toStorageError(error: unknown, doing: string): BackupError {
  if (isBackupError(error)) return error
  const said = error instanceof Error ? error.message : String(error)
  const fail = (code: BackupErrorCode, why: string, rest: Omit<BackupErrorOptions, 'message'> = {}): BackupError =>
    new BackupError(code, { message: `${doing} failed: ${why}`, cause: error, ...rest })
  if (hasStatus(error, status.noSpace, status.quotaExceeded) || /no space|quota|disk full/i.test(said)) {
    return full(doing, said, error)
  }
  if (hasStatus(error, status.permissionDenied, status.writeProtected)) {
    return fail('storage-denied', `the server does not allow it (${said})`, {
      hint: 'The directory must belong to the user who signs in, with mode 0700, on a file system that can be written.',
    })
  }
  if (hasStatus(error, status.noConnection, status.connectionLost)) {
    return fail('unavailable', said, { retryable: true })
  }
  if (hasStatus(error, status.noSuchFile)) {
    return fail('unavailable', 'something on the way to it is gone', {
      retryable: true,
      hint: 'Another program may be working in this directory, or its volume was unmounted.',
    })
  }
  return fail('unavailable', `the server only says: ${said}`, {
    hint: 'Look at the disk, the quota and the log of the server: SFTP has no words for what went wrong.',
  })
}

/** No room, or no quota, is left. */
export function full(doing: string, said: string, cause: unknown): BackupError {
  return new BackupError('storage-full', {
    message: `${doing} failed: no space or quota is left on the server (${said})`,
    hint: 'Free space there or move the storage to a larger volume. Earlier backups are untouched.',
    cause,
  })
}

/** The key is taken. */
export function alreadyExists(key: string): BackupError {
  return new BackupError('already-exists', { message: `There is already an object ${key}` })
}

/** What `work` resolves to; the server's refusal is told as `doing … failed`, everything else as it is. */
export async function explained<Result>(doing: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw typeof (error as { code?: unknown } | undefined)?.code === 'number' ? toStorageError(error, doing) : error
  }
}

/** The connection is gone; the next operation makes a new one. */
export function lost(options: ResolvedSftpOptions, why: string, cause?: unknown): BackupError {
  return new BackupError('unavailable', {
    message: `The connection to ${serverOf(options)} was lost: ${why}`,
    retryable: true,
    cause,
  })
}

/** What the SSH library says when a connection does not come about. */
export interface ConnectFailure {
  readonly message: string
  readonly code?: string
  /** Of ssh2: `client-authentication`, `client-timeout`, `client-socket`, … */
  readonly level?: string
}

/** Why no connection came about, and what to do. */
export function connectError(error: ConnectFailure, options: ResolvedSftpOptions): BackupError {
  const at = serverOf(options)
  if (error.level === 'client-authentication') {
    return new BackupError('storage-denied', {
      message: `${at} does not let this user in: ${tried(options)} was refused`,
      hint: 'Check the user, and whether the public key is in ~/.ssh/authorized_keys there; try: sftp with the same user and key.',
      cause: error,
    })
  }
  if (/subsystem/i.test(error.message)) {
    return new BackupError('storage-config-invalid', {
      message: `${at} speaks SSH but not SFTP`,
      hint: 'Have its sshd_config say: Subsystem sftp internal-sftp',
      cause: error,
    })
  }
  if (error.level === 'handshake' || /no matching/i.test(error.message)) {
    return new BackupError('storage-config-invalid', {
      message: `${at} and this program have no method in common: ${error.message}`,
      hint: 'Update the SSH server.',
      cause: error,
    })
  }
  const late = error.level === 'client-timeout' || /timed out/i.test(error.message)
  const unknown = error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN'
  const why = late ? 'no answer in time' : unknown ? 'the host has no address' : (error.code ?? error.message)
  return new BackupError('unavailable', {
    message: `${at} does not answer: ${why}`,
    hint: 'Check the host, the port and the network.',
    retryable: true,
    cause: error,
  })
}

function tried({ privateKey, password, agent }: ResolvedSftpOptions): string {
  const ways = [privateKey && 'the key', agent && 'the agent', password && 'the password'].filter(Boolean)
  return ways.length > 0 ? ways.join(' and ') : 'the usual key or agent'
}

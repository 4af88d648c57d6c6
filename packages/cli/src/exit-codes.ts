import type { BackupErrorCode } from '@holdfast/core'

/** What a process that ends tells its caller. Documented in the README; none ever changes its meaning. */
export const exitCodes = {
  done: 0,
  configuration: 1,
  schedule: 2,
  storage: 3,
  database: 4,
  backupFailed: 5,
  restoreFailed: 6,
  damaged: 7,
  noMatch: 8,
  partial: 9,
  interrupted: 130,
} as const

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Codes whose meaning does not depend on the command; `command` stands for "what the command was to do has failed". */
const byErrorCode: Readonly<Record<BackupErrorCode, ExitCode | 'command'>> = {
  'config-invalid': exitCodes.configuration,
  'storage-config-invalid': exitCodes.storage,
  'no-match': exitCodes.noMatch,
  ambiguous: exitCodes.noMatch,
  'source-unreachable': exitCodes.database,
  'source-denied': exitCodes.database,
  'source-missing': exitCodes.database,
  'tool-missing': 'command',
  'tool-too-old': 'command',
  'dump-failed': exitCodes.backupFailed,
  'dump-incomplete': exitCodes.backupFailed,
  'timed-out': 'command',
  unavailable: exitCodes.storage,
  'storage-denied': exitCodes.storage,
  'storage-full': 'command',
  'storage-identity': exitCodes.storage,
  'not-found': exitCodes.noMatch,
  'already-exists': 'command',
  'invalid-key': exitCodes.storage,
  'read-only': exitCodes.storage,
  stalled: 'command',
  'too-few-copies': 'command',
  busy: 'command',
  'lease-lost': 'command',
  corrupt: exitCodes.damaged,
  'manifest-invalid': exitCodes.damaged,
  'manifest-too-new': exitCodes.configuration,
  'wrong-key': exitCodes.configuration,
  'target-not-empty': exitCodes.restoreFailed,
  'target-in-use': exitCodes.restoreFailed,
  'restore-refused': exitCodes.restoreFailed,
  'restore-failed': exitCodes.restoreFailed,
  aborted: exitCodes.interrupted,
  internal: 'command',
}

/** What it means that a command did not do what it was to do, where the error's own code does not say more. */
const byCommand: Readonly<Record<string, ExitCode>> = {
  backup: exitCodes.backupFailed,
  restore: exitCodes.restoreFailed,
  undo: exitCodes.restoreFailed,
  cleanup: exitCodes.restoreFailed,
  list: exitCodes.storage,
  show: exitCodes.storage,
  download: exitCodes.storage,
  cat: exitCodes.storage,
  copy: exitCodes.storage,
  prune: exitCodes.storage,
  pin: exitCodes.storage,
  unpin: exitCodes.storage,
  check: exitCodes.storage,
  forget: exitCodes.storage,
}

/** Damage that keeps a restore from succeeding is a failed restore; only a command that looks for damage finds it. */
const byCommandAndCode: Readonly<Record<string, ExitCode>> = {
  'restore corrupt': exitCodes.restoreFailed,
  'restore unavailable': exitCodes.restoreFailed,
  'backup unavailable': exitCodes.backupFailed,
}

/**
 * The exit code for an error.
 *
 * @param command - Name of the command that ran, or `''` where none did.
 * @param code - Code of the {@link BackupError}; `undefined` for anything else that was thrown.
 */
export function exitCodeFor(command: string, code: BackupErrorCode | undefined): ExitCode {
  const failed = byCommand[command] ?? exitCodes.configuration
  if (code === undefined) return failed
  const meaning = byCommandAndCode[`${command} ${code}`] ?? byErrorCode[code]
  return meaning === undefined || meaning === 'command' ? failed : meaning
}

import { BackupError, type BackupErrorCode } from '@holdfast/core'
import { notEmptyHint } from './database-files.js'

/** What a failed task said. */
interface Failure {
  readonly code: string
  readonly message: string
}

/** What the error of a task on `path` means. */
export function errorOf(
  { code, message }: Failure,
  path: string,
  { failure, writes }: { readonly failure: BackupErrorCode; readonly writes: boolean },
): BackupError {
  const [meaning, hint, retryable] = meaningOf(code, message, writes) ?? [failure]
  // What writes does so in one transaction.
  const untouched = writes ? ['The database holds what it held before.'] : []
  const said = hint === undefined ? untouched : [...untouched, hint]
  const hints = said.length > 0 ? { hint: said.join(' ') } : {}
  return new BackupError(meaning, { message: `SQLite, on ${path}: ${message}`, ...hints, retryable })
}

type Meaning = readonly [code: BackupErrorCode, hint: string, retryable?: boolean]

function meaningOf(code: string, message: string, writes: boolean): Meaning | undefined {
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    const hint = 'Another program holds it for longer than busyTimeout: stop that, or try again later.'
    return writes ? ['target-in-use', hint] : ['source-unreachable', 'Another program holds it; try again later.', true]
  }
  if (code === 'NOT_EMPTY') return ['target-not-empty', notEmptyHint]
  if (/^(SQLITE_FULL|ENOSPC)/.test(code) || /ENOSPC/.test(message)) {
    return [
      'storage-full',
      'Make room on that disk. Dumps take a copy in tempDir (TMPDIR), restores one beside the file.',
    ]
  }
  if (/^(SQLITE_(CANTOPEN|READONLY|PERM|AUTH)|EACCES|EPERM)/.test(code)) {
    return ['source-denied', 'Give this user the right to read and write the file and its directory.']
  }
  if (/^SQLITE_NOTADB/.test(code)) {
    return writes
      ? [
          'restore-refused',
          'What is there is no SQLite database. Move it away, with its -wal and -journal, and restore again.',
        ]
      : ['source-denied', 'It is no SQLite database, or an encrypted one.']
  }
  if (/^SQLITE_CORRUPT/.test(code) && writes) {
    return [
      'restore-refused',
      'The target is damaged. Stop its programs, move it away with its -wal and -journal, and restore again.',
    ]
  }
  return undefined
}

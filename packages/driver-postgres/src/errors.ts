import {
  BackupError,
  type BackupErrorCode,
  type ErrorMeaning,
  isBackupError,
  messageOf,
  serverAway,
  socketMeaning,
} from '@holdfast/core'
import { withoutRows } from './row-values.js'

/** The hint for a transaction that the lock table has no room for. */
export const lockRoomHint =
  'Restore with mode staged (into a new database that changes places with this one at the end), or raise max_locks_per_transaction on the server and restart it.'

const denied: ErrorMeaning = {
  code: 'source-denied',
  hint: 'Check user, password and pg_hba.conf, and the permissions of the role.',
}
/** What `pg` says where a server asks for a password that it was not given. */
const noPassword = /password must be a (?:non-empty )?string/
const unsaid: ErrorMeaning = {
  code: 'source-denied',
  hint: 'Give it in PGPASSWORD, in ~/.pgpass, or in a URL that is kept in a file or the environment.',
}
const missing: ErrorMeaning = { code: 'source-missing', hint: 'Check the name of the database; it is case-sensitive.' }
const tlsHint = 'Check sslmode and sslrootcert.'
const inUse: ErrorMeaning = {
  code: 'target-in-use',
  retryable: true,
  hint: 'Stop what uses the database, or allow the restore to end its connections.',
}

/**
 * What an error of `pg` or of the server means. Values of rows are left out.
 *
 * @param what - What was tried, on what: `Reading the tables of db:5432/shop failed`.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function databaseError(error: unknown, what: string): BackupError {
  if (isBackupError(error)) return error
  const { code, hint, retryable } = meaningOf(codeOf(error), messageOf(error))
  const { shown, isAll } = withoutRows(detailOf(error), error)
  // An error that holds values of rows is no cause: causes are printed as well.
  return new BackupError(code, { message: `${what}: ${shown}`, hint, retryable, cause: isAll ? error : undefined })
}

/** The SQLSTATE or system code of an error. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

/**
 * What the last words of a client program mean, where they say more than its exit code.
 *
 * @param failure - What it is that fails with the program.
 */
export function programMeaning(stderr: string, failure: BackupErrorCode): ErrorMeaning | undefined {
  const meanings = failure === 'restore-failed' ? [...restoreMeanings, ...programMeanings] : programMeanings
  const found = meanings.find(([pattern]) => pattern.test(stderr))?.[1]
  return typeof found === 'function' ? found(stderr) : found
}

type Reading = ErrorMeaning | ((stderr: string) => ErrorMeaning)

/** What a restore lacks, rights or room, is to be had in other ways than what a dump lacks. */
const restoreMeanings: readonly (readonly [RegExp, Reading])[] = [
  [/out of shared memory/, { code: 'restore-failed', hint: lockRoomHint }],
  [
    /must be member of role|must be able to SET ROLE/,
    {
      code: 'source-denied',
      hint: 'The role of the restore may not give things to their owner. Leave owners out (noOwner, --no-owner), and all of it belongs to that role; or make it a member of the owner, or restore as a superuser.',
    },
  ],
  [
    /permission denied|must be owner of|must be superuser/,
    {
      code: 'source-denied',
      hint: 'The role of the restore may not make all that the dump holds. Restore as the owner of the database or as a superuser; noOwner (--no-owner) and noPrivileges (--no-privileges) leave owners and grants out.',
    },
  ],
]

const programMeanings: readonly (readonly [RegExp, Reading])[] = [
  [/password authentication failed|no pg_hba\.conf entry|no password supplied|role ".*" does not exist/, denied],
  [/FATAL: {2}database ".*" does not exist/s, missing],
  [/connection to server .* failed|could not translate host name|could not connect/, serverAway],
  [/too many clients already|remaining connection slots|the database system is/, serverAway],
  [
    // pg_dump waits for locks under a statement timeout.
    /canceling statement due to (?:lock|statement) timeout[\s\S]*LOCK TABLE|due to lock timeout/,
    {
      code: 'timed-out',
      retryable: true,
      hint: 'Another session held a lock on a table for longer than lockTimeout; try later, or raise it.',
    },
  ],
  [
    /duplicate key value violates (?:unique|exclusion) constraint/,
    {
      code: 'restore-failed',
      hint: 'Nothing was changed. The database holds rows of the same keys: append adds rows, and neither replaces nor merges any. Use clean, or replace, or restore into another database and copy from there.',
    },
  ],
  [/cannot drop .* because other objects depend on it/, dependents],
  [
    /could not read from input file: end of file|unexpected end of file/,
    {
      code: 'corrupt',
      message: 'The dump is not whole: it ends in the middle',
      hint: 'It was cut on its way, or the dump program stopped early. Use another copy of it, or another dump.',
    },
  ],
  [
    /(?:ERROR|PANIC|FATAL): {2}could not .*: No space left on device/,
    { code: 'storage-full', hint: 'Make room on the disk of the database server.' },
  ],
  [
    /out of shared memory/,
    {
      code: 'dump-failed',
      hint: 'pg_dump locks every table that it dumps until it ends, and the lock table of the server has no room for all of them. Raise max_locks_per_transaction on the server and restart it, or dump fewer tables at once: choose tables or schemas in several jobs.',
    },
  ],
  [/aborting because of server version mismatch/, { code: 'tool-too-old' }],
  [/no matching (?:tables|schemas) were found/, { code: 'no-match' }],
  [
    /permission denied|must be owner of|must be superuser|affected by row-level security/,
    { code: 'source-denied', hint: 'Use a role that may read everything, for example a member of pg_read_all_data.' },
  ],
  [
    /server closed the connection unexpectedly|terminating connection|SSL SYSCALL error/,
    { code: 'dump-failed', retryable: true, hint: 'The connection was lost; the server log says why.' },
  ],
]

/** Restored alone, a table is dropped first; what others made of it cannot be dropped and made again with it. */
function dependents(stderr: string): ErrorMeaning {
  const what = /cannot drop (.+?) because other objects depend on it/.exec(stderr)?.[1] ?? 'something'
  const others = [...stderr.matchAll(/^(?:DETAIL: +)?(.+?) depends on .+$/gm)].map(([, other]) => other)
  return {
    code: 'restore-failed',
    message: `${what} cannot be dropped and made again, because ${others.join(', ') || 'something'} depends on it and is not restored with it`,
    hint: 'Drop what depends on it first and make it again afterwards, or restore the whole backup (mode staged), or into another database. Nothing was changed.',
  }
}

function meaningOf(code: string, message: string): ErrorMeaning {
  if (code === '3D000') return missing
  if (code === '55006') return inUse
  if (/^28|^42501/.test(code)) return denied
  if (/^08|^53|^57P|^58/.test(code)) return serverAway
  const meaning = socketMeaning(code, tlsHint)
  if (meaning) return meaning
  if (/^Connection terminated|timeout expired|connection timeout/i.test(message)) return serverAway
  if (message.includes('does not support SSL')) return { code: 'source-unreachable', hint: tlsHint }
  if (noPassword.test(message)) return unsaid
  if (message.includes('SASL')) return denied
  return { code: 'internal' }
}

/** An AggregateError of several addresses has no message of its own. */
function detailOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(messageOf).join('; ')
  if (noPassword.test(messageOf(error))) return 'the server wants a password, and none was given'
  return messageOf(error) || codeOf(error)
}

import {
  BackupError,
  type ErrorMeaning,
  isBackupError,
  messageOf,
  serverAway,
  socketMeaning,
  withoutRowValues,
} from '@holdfast/core'
import { rowValues } from './row-values.js'

const denied: ErrorMeaning = {
  code: 'source-denied',
  hint: 'Check user, password and host of the account (SHOW GRANTS), and its permissions.',
}
const missing: ErrorMeaning = { code: 'source-missing', hint: 'Check the name of the database.' }
const tlsHint = 'Check sslmode and sslca.'
const locked: ErrorMeaning = {
  code: 'target-in-use',
  retryable: true,
  hint: 'Another session holds a lock on a table for longer than lockTimeout; end it, try later, or allow the restore to end connections.',
}

const full: ErrorMeaning = {
  code: 'storage-full',
  hint: 'Make room on the disk of the database server, or raise what limits it (innodb_data_file_path, max_heap_table_size).',
}

/** @see https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html */
const byNumber: ReadonlyMap<number, ErrorMeaning> = new Map([
  ...[1044, 1045, 1142, 1143, 1227, 1370, 1410, 1698, 3118, 3879].map((code) => [code, denied] as const),
  ...[1049].map((code) => [code, missing] as const),
  ...[1040, 1053, 1077, 1129, 1152, 1203, 1226, 1927, 2002, 2003, 2005, 2006, 2013].map(
    (code) => [code, serverAway] as const,
  ),
  ...[1021, 1114].map((code) => [code, full] as const),
  [1205, locked],
])

/**
 * What an error of `mysql2` or of the server means. Values of rows are left out.
 *
 * @param what - What was tried, on what: `Reading the tables of db:3306/shop failed`.
 */
export function databaseError(error: unknown, what: string): BackupError {
  if (isBackupError(error)) return error
  const { code, hint, retryable } = meaningOf(error)
  const said = detailOf(error)
  const shown = withoutRowValues(said, rowValues)
  // An error that holds values of rows is no cause: causes are printed as well.
  const cause = shown === said ? error : undefined
  return new BackupError(code, { message: `${what}: ${shown}`, hint, retryable, cause })
}

/** The number that the server gives an error; 0 for others. */
function errnoOf(error: unknown): number {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined
  return typeof errno === 'number' && errno > 0 ? errno : 0
}

function meaningOf(error: unknown): ErrorMeaning {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (/^(ER_|WARN_)/.test(code) || errnoOf(error) > 1000) return byNumber.get(errnoOf(error)) ?? { code: 'internal' }
  if (code.startsWith('HANDSHAKE_')) return { code: 'source-unreachable', hint: tlsHint }
  const meaning = socketMeaning(code, tlsHint)
  if (meaning) return meaning
  const isAway = code.startsWith('PROTOCOL_') || /closed state|Connection lost|timeout/i.test(messageOf(error))
  return isAway ? serverAway : { code: 'internal' }
}

/** What the last words of a client program mean, where they say more than its exit code. */
export function programMeaning(stderr: string): ErrorMeaning | undefined {
  const number = Number(/error:? (\d{4})\b/i.exec(stderr)?.[1] ?? 0)
  if (/Couldn't find table|No such table|doesn't exist in database/i.test(stderr)) return { code: 'no-match' }
  if (number === 2013 || number === 2006) {
    return { code: 'dump-failed', retryable: true, hint: 'The connection was lost; the server log says why.' }
  }
  if (number === 1205) {
    return { code: 'timed-out', retryable: true, hint: 'Another session held a lock for longer than lockTimeout.' }
  }
  return byNumber.get(number)
}

/** An AggregateError of several addresses has no message of its own. */
function detailOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(messageOf).join('; ')
  return messageOf(error)
}

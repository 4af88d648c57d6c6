import { BackupError } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { databaseError, programMeaning } from './errors.js'

const thrown = (fields: object, message = 'it failed'): Error => Object.assign(new Error(message), fields)

describe('databaseError', () => {
  it.each([
    [{ code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 }, 'source-denied', false],
    [{ code: 'ER_BAD_DB_ERROR', errno: 1049 }, 'source-missing', false],
    [{ code: 'ER_CON_COUNT_ERROR', errno: 1040 }, 'source-unreachable', true],
    [{ code: 'ER_LOCK_WAIT_TIMEOUT', errno: 1205 }, 'target-in-use', true],
    [{ code: 'ER_RECORD_FILE_FULL', errno: 1114 }, 'storage-full', false],
    [{ code: 'ER_PARSE_ERROR', errno: 1064 }, 'internal', false],
    [{ errno: 4031 }, 'internal', false],
    [{ code: 'ECONNREFUSED' }, 'source-unreachable', true],
    [{ code: 'PROTOCOL_CONNECTION_LOST' }, 'source-unreachable', true],
    [{ code: 'HANDSHAKE_NO_SSL_SUPPORT' }, 'source-unreachable', false],
    [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'source-unreachable', false],
    [{ code: 'SOMETHING_ELSE' }, 'internal', false],
  ])('reads %j', (fields, code, retryable) => {
    const error = databaseError(thrown(fields), 'Asking db:3306/shop failed')
    expect(error).toMatchObject({ code, retryable, message: 'Asking db:3306/shop failed: it failed' })
  })

  it('reads what has no number by its words', () => {
    expect(databaseError(new Error("Can't add new command when connection is in closed state"), 'x')).toMatchObject({
      code: 'source-unreachable',
      retryable: true,
    })
    expect(databaseError('a text', 'x')).toMatchObject({ code: 'internal', message: 'x: a text' })
  })

  it('names every address that was tried', () => {
    const both = new AggregateError([new Error('no route to ::1'), new Error('no route to 127.0.0.1')], '')
    expect(databaseError(both, 'x').message).toBe('x: no route to ::1; no route to 127.0.0.1')
  })

  it('holds no values of rows, and neither does its cause', () => {
    const said = "Duplicate entry 'a secret' for key 'PRIMARY'"
    const error = databaseError(thrown({ code: 'ER_DUP_ENTRY', errno: 1062 }, said), 'A statement failed')
    expect(error.message).toBe("A statement failed: Duplicate entry '…' for key 'PRIMARY'")
    expect(error.cause).toBeUndefined()
    expect(databaseError(thrown({}, 'harmless'), 'x').cause).toBeInstanceOf(Error)
  })

  it('leaves our own errors as they are', () => {
    const own = new BackupError('restore-refused', { message: 'no' })
    expect(databaseError(own, 'x')).toBe(own)
  })
})

describe('programMeaning', () => {
  it.each([
    ['mysqldump: Got error: 1045: "Access denied" when trying to connect', 'source-denied'],
    ['mariadb-dump: Couldn\'t find table: "nobody"', 'no-match'],
    ['ERROR 2013 (HY000) at line 5: Lost connection', 'dump-failed'],
    ['mysqldump: Error 2006: server has gone away', 'dump-failed'],
    ['ERROR 1205 (HY000) at line 1: Lock wait timeout exceeded', 'timed-out'],
    ["ERROR 1114 (HY000) at line 3916: The table 't' is full", 'storage-full'],
    ['ERROR 2003 (HY000): cannot connect', 'source-unreachable'],
  ])('reads %s', (stderr, code) => expect(programMeaning(stderr)?.code).toBe(code))

  it.each(['ERROR 1064 (42000) at line 3: syntax', 'something else', ''])('leaves %j to the exit code', (stderr) => {
    expect(programMeaning(stderr)).toBeUndefined()
  })
})

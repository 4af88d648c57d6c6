import { BackupError } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { databaseError, lockRoomHint, programMeaning } from './errors.js'

const withCode = (code: string, message = 'what the server said'): Error => Object.assign(new Error(message), { code })

describe('databaseError', () => {
  it.each([
    ['ECONNREFUSED', 'source-unreachable', true],
    ['ENOTFOUND', 'source-unreachable', true],
    ['57P03', 'source-unreachable', true],
    ['53300', 'source-unreachable', true],
    ['08006', 'source-unreachable', true],
    ['28P01', 'source-denied', false],
    ['28000', 'source-denied', false],
    ['42501', 'source-denied', false],
    ['3D000', 'source-missing', false],
    ['55006', 'target-in-use', true],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'source-unreachable', false],
    ['42601', 'internal', false],
  ])('reads %s as %s', (code, expected, retryable) => {
    const error = databaseError(withCode(code), 'Asking db:5432/shop failed')
    expect(error).toMatchObject({
      code: expected,
      retryable,
      message: 'Asking db:5432/shop failed: what the server said',
    })
  })

  it('reads errors without a code by their words', () => {
    expect(databaseError(new Error('Connection terminated unexpectedly'), 'x').code).toBe('source-unreachable')
    expect(databaseError(new Error('The server does not support SSL connections'), 'x').retryable).toBe(false)
    expect(
      databaseError(new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), 'x'),
    ).toMatchObject({
      code: 'source-denied',
      message: 'x: the server wants a password, and none was given',
      hint: expect.stringContaining('PGPASSWORD'),
    })
    expect(databaseError('text', 'x')).toMatchObject({ code: 'internal', message: 'x: text' })
    const several = new AggregateError([
      new Error('connect ECONNREFUSED ::1'),
      new Error('connect ECONNREFUSED 127.0.0.1'),
    ])
    expect(databaseError(Object.assign(several, { code: 'ECONNREFUSED' }), 'x').message).toBe(
      'x: connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1',
    )
  })

  it('leaves an error that was read already', () => {
    const error = new BackupError('corrupt', { message: 'x' })
    expect(databaseError(error, 'y')).toBe(error)
  })
})

describe('programMeaning', () => {
  it.each([
    [
      'connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  password authentication failed for user "u"',
      'source-denied',
    ],
    ['connection to server at "db", port 5432 failed: FATAL:  database "x" does not exist', 'source-missing'],
    ['connection to server at "db", port 5432 failed: Connection refused', 'source-unreachable'],
    [
      'ERROR:  canceling statement due to statement timeout\npg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE',
      'timed-out',
    ],
    ['pg_dump: error: query failed: ERROR:  permission denied for table t', 'source-denied'],
    ['pg_dump: error: query failed: ERROR:  out of shared memory', 'dump-failed'],
    ['psql:<stdin>:9: ERROR:  could not extend file "base/5/16384": No space left on device', 'storage-full'],
    ['ERROR:  invalid input syntax for type integer: "No space left on device"', undefined],
    [
      'pg_restore: error: COPY failed for table "t": ERROR:  duplicate key value violates unique constraint "t_pkey"',
      'restore-failed',
    ],
    ['pg_restore: error: could not read from input file: end of file', 'corrupt'],
    ['pg_dump: error: no matching tables were found', 'no-match'],
    ['pg_dump: error: aborting because of server version mismatch', 'tool-too-old'],
    ['pg_dump: error: server closed the connection unexpectedly', 'dump-failed'],
    ['pg_dump: error: ERROR:  canceling statement due to statement timeout', undefined],
    ['something else', undefined],
  ])('reads %j as %s', (stderr, code) => {
    expect(programMeaning(stderr, 'dump-failed')?.code).toBe(code)
  })

  it.each([
    ['pg_restore: error: could not execute query: ERROR:  must be member of role "o"', '--no-owner'],
    ['pg_restore: error: could not execute query: ERROR:  must be able to SET ROLE "o"', '--no-owner'],
    ['psql:<stdin>:9: ERROR:  permission denied for schema public', 'owner of the database'],
    ['pg_restore: error: could not execute query: ERROR:  must be superuser to create this', 'as a superuser'],
    ['pg_restore: error: connection to server failed: FATAL:  password authentication failed', 'pg_hba.conf'],
  ])('says of a restore for which %j that it needs other rights than a dump', (stderr, hint) => {
    const meaning = programMeaning(stderr, 'restore-failed')
    expect(meaning).toMatchObject({ code: 'source-denied', hint: expect.stringContaining(hint) })
    expect(meaning?.hint).not.toContain('read everything')
  })

  it('tells a lock table that is full for a dump in other words than for a restore', () => {
    const stderr = 'ERROR:  out of shared memory'
    expect(programMeaning(stderr, 'dump-failed')).toMatchObject({
      code: 'dump-failed',
      hint: expect.stringMatching(/Raise max_locks_per_transaction .* fewer tables/),
    })
    expect(programMeaning(stderr, 'restore-failed')).toEqual({ code: 'restore-failed', hint: lockRoomHint })
  })

  it('names what depends on a table that was to be dropped', () => {
    const stderr = `pg_restore: error: could not execute query: ERROR:  cannot drop table public.t because other objects depend on it
DETAIL:  view v depends on table public.t
materialized view m depends on view v
HINT:  Use DROP ... CASCADE to drop the dependent objects too.`
    expect(programMeaning(stderr, 'restore-failed')?.message).toContain(
      'because view v, materialized view m depends on it',
    )
    expect(programMeaning(stderr.split('\n')[0] ?? '', 'restore-failed')?.message).toContain(
      'because something depends on it',
    )
  })
})

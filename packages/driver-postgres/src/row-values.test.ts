import { withoutRowValues } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { rowValues } from './row-values.js'

describe('messages without values of rows', () => {
  it.each([
    [
      'pg_restore: error: COPY failed for table "t": ERROR:  duplicate key value violates unique constraint "t_pkey"\nDETAIL:  Key (id, name)=(1, a secret) already exists.\nCONTEXT:  COPY t, line 1: "1\ta secret"',
      'pg_restore: error: COPY failed for table "t": ERROR:  duplicate key value violates unique constraint "t_pkey"\nDETAIL:  Key (id, name)=(…)\nCONTEXT:  COPY t, line 1',
    ],
    [
      'ERROR:  new row for relation "u" violates check constraint "c"\nDETAIL:  Failing row contains (1, a secret\nof two lines).\nCONTEXT:  COPY u, line 7: "1\ta secret"',
      'ERROR:  new row for relation "u" violates check constraint "c"\nDETAIL:  Failing row contains (…)\nCONTEXT:  COPY u, line 7',
    ],
    [
      'psql:<stdin>:9: ERROR:  invalid input syntax for type integer: "a secret"\nCONTEXT:  COPY t, line 1, column note: "a secret"',
      'psql:<stdin>:9: ERROR:  invalid input syntax for type integer: "…"\nCONTEXT:  COPY t, line 1, column note',
    ],
    [
      'ERROR:  invalid input syntax for type json\nDETAIL:  Token "secret" is invalid.\nCONTEXT:  JSON data, line 1: secret\nCOPY u, line 2, column j: "a secret"',
      'ERROR:  invalid input syntax for type json\nDETAIL:  Token …\nCONTEXT:  JSON data, line 1',
    ],
    [
      'ERROR:  value "99999999999" is out of range for type integer',
      'ERROR:  value "…" is out of range for type integer',
    ],
    [
      "pg_restore: error: could not execute query: ERROR:  duplicate key value\nCommand was: INSERT INTO public.t VALUES (1, 'a secret');",
      'pg_restore: error: could not execute query: ERROR:  duplicate key value\nCommand was: INSERT INTO public.t …',
    ],
    [
      "ERROR:  syntax error\nLINE 1: INSERT INTO t VALUES (1, 'a secret', );\n                                           ^",
      'ERROR:  syntax error\nLINE 1: …',
    ],
    [
      'ERROR:  insert failed\nQUERY:  insert into t\n  values (a secret)\nCONTEXT:  SQL statement "insert into t\n values (a secret)"\nPL/pgSQL function f() line 3 at EXECUTE',
      'ERROR:  insert failed\nQUERY:  …\nCONTEXT:  SQL statement "…"\nPL/pgSQL function f() line 3 at EXECUTE',
    ],
    [
      'ERROR:  invalid XML document\nDETAIL:  line 1: Start tag expected\na secret\n^\nHINT:  Look.',
      'ERROR:  invalid XML document\nDETAIL:  line 1\nHINT:  Look.',
    ],
  ])('%s', (said, shown) => {
    expect(withoutRowValues(said, rowValues)).toBe(shown)
    expect(shown).not.toMatch(/secret|9999/)
  })

  it.each([
    'pg_restore: error: could not execute query: ERROR:  cannot drop table public.t because other objects depend on it\nDETAIL:  view public.v depends on table public.t\nHINT:  Use DROP ... CASCADE.\nCommand was: DROP TABLE IF EXISTS public.t;',
    'pg_dump: error: query failed: ERROR:  permission denied for table t\nLINE 3: CREATE TABLE t (a int,)\n                              ^',
    'ERROR:  invalid value for parameter "work_mem": "much"',
    'ERROR:  invalid locale name: "xx_XX"',
    'sh: 1: not found\nanything',
  ])('stay as they are: %s', (said) => {
    expect(withoutRowValues(said, rowValues)).toBe(said)
  })
})

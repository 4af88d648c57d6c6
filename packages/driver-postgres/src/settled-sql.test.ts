import { describe, expect, it } from 'vitest'
import { settledSql } from './settled-sql.js'

describe('settledSql', () => {
  it.each([
    [
      `CHECK (((v)::text = ANY ((ARRAY['a'::character varying, 'b)]'::character varying])::text[])))`,
      `CHECK (((v)::text = ANY (ARRAY[('a'::character varying)::text, ('b)]'::character varying)::text])))`,
    ],
    [
      `CHECK ((s = ANY ((ARRAY['a'::"My".mood, f(1, 2)])::"My".other[])))`,
      `CHECK ((s = ANY (ARRAY[('a'::"My".mood)::"My".other, (f(1, 2))::"My".other])))`,
    ],
  ])('takes the two ways to write a cast of an array for one', (before, after) => {
    expect(settledSql(before)).toBe(settledSql(after))
  })

  it.each([
    [`CHECK (v = ANY ((ARRAY['a'::varchar])::text[]))`, `CHECK (v = ANY ((ARRAY['b'::varchar])::text[]))`],
    [`CHECK (v = ANY ((ARRAY['a'::varchar])::text[]))`, `CHECK (v = ANY ((ARRAY['a'::varchar])::bytea[]))`],
    [`CHECK (v = ANY (ARRAY['a', 'b']))`, `CHECK (v = ANY (ARRAY['b', 'a']))`],
    ['CREATE TABLE t (\n    a integer,\n    b text\n);', 'CREATE TABLE t (\n    b text,\n    a integer\n);'],
  ])('tells %j from %j', (one, other) => {
    expect(settledSql(one)).not.toBe(settledSql(other))
  })

  it('takes no notice of the versions of columns that an old pg_dump writes for a new server', () => {
    const table = 'CREATE TABLE public.t (\n    id integer\n);\n'
    const version = (column: string): string =>
      `ALTER TABLE ONLY public.t ALTER COLUMN ${column} SET (pg_attver=27591224);\n`
    expect(settledSql(`${table}${version('id')}${version('"a;b\nSET (x)"')}\n\n`)).toBe(settledSql(`${table}\n\n`))
    const kept = 'ALTER TABLE ONLY public.t ALTER COLUMN id SET (n_distinct=5);'
    for (const options of ['n_distinct=5, pg_attver=1', 'pg_attver=2, n_distinct=5'])
      expect(settledSql(kept.replace('n_distinct=5', options))).toBe(kept)
  })

  it('takes no notice of the order of columns where a table inherits', () => {
    expect(settledSql('CREATE TABLE t (\n    b text,\n    a integer\n)\nINHERITS (p);')).toBe(
      settledSql('CREATE TABLE t (\n    a integer,\n    b text\n)\nINHERITS (p);'),
    )
  })
})

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

  it('takes no notice of the order of columns where a table inherits', () => {
    expect(settledSql('CREATE TABLE t (\n    b text,\n    a integer\n)\nINHERITS (p);')).toBe(
      settledSql('CREATE TABLE t (\n    a integer,\n    b text\n)\nINHERITS (p);'),
    )
  })
})

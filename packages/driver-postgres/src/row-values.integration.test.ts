import { inspect } from 'node:util'
import { createRunContext, isBackupError } from '@holdfast/core'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres } from './driver.js'

const ctx = createRunContext()
let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
  await server.createDatabase('shop')
  await server.sql(
    'shop',
    `create type color as enum ('red'); create type "Odd ""type" as enum ('x');
     create table t (id int primary key, v text, big text, bits text);
     insert into t values (1, E'canary "quoted"\\nof two lines: canary', '1e4000777', 'z');
     create table noted (v text check (v <> E'canary "quoted"\\nof two lines: canary'));
     create function note() returns int language plpgsql as $$
       begin execute (select format('insert into noted values (%L)', v) from t); return 1; end $$;
     create function ask() returns int language plpgsql as $$
       begin execute (select format(E'select *\\n from nowhere where v = %L', v) from t); return 1; end $$`,
  )
})
afterAll(() => server.stop())

async function failureOf(statement: string): Promise<Error> {
  const driver = postgres({ url: server.url('shop'), binDir: server.binDir })
  const error = await driver.query?.(statement, ctx).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isBackupError(error)) throw error ?? new Error('it did not fail')
  return error
}

describe('a statement that fails on a value of a row', () => {
  it.each([
    ['v::int', 'invalid input syntax for type integer: "…"'],
    ['v::color', 'invalid input value for enum color: "…"'],
    ['v::"Odd ""type"', 'invalid input value for enum "…"'],
    ['v::json', 'invalid input syntax for type json'],
    [`('["' || v || '", canary]')::json`, 'invalid input syntax for type json'],
    ['xmlparse(document v)', 'invalid XML document'],
    ['v::int[]', 'malformed array literal: "…"'],
    ['v::int4range', 'malformed range literal: "…"'],
    ['v::cidr', 'invalid input syntax for type cidr: "…"'],
    [`to_date(v, 'YYYY')`, 'invalid value "…"'],
    [`timestamp '2020-01-01' at time zone v`, 'time zone "…"'],
    [`(substr(big, 8) || '99-99-99')::date`, 'date/time field value out of range: "…"'],
    [`decode(v, 'hex')`, 'invalid hexadecimal digit: "…"'],
    [`(v || ' & &')::tsquery`, 'syntax error in tsquery: "…"'],
    [`big::float8`, '"…" is out of range for type double precision'],
    [`(substr(big, 7) || '0000000000')::int`, 'value "…" is out of range for type integer'],
    ['bits::bit(8)', '"…" is not a valid binary digit'],
    ['note()', 'new row for relation "noted" violates check constraint "noted_v_check"'],
    ['ask()', 'relation "nowhere" does not exist'],
  ])('%s: says what failed, and not on what', async (expression, said) => {
    const error = await failureOf(`select ${expression} from t`)
    expect(error.message.slice(error.message.indexOf('failed: ') + 8)).toBe(said)
    expect(inspect(error, { depth: 9 })).not.toMatch(/canary|777|"z"/)
  })

  it('keeps the names in other errors, and the error beneath', async () => {
    const error = await failureOf('select "no such column" from t')
    expect(error.message).toContain('column "no such column" does not exist')
    expect(error.cause).toMatchObject({ code: '42703' })
    expect((await failureOf(`set work_mem = 'much'`)).message).toContain('parameter "work_mem": "much"')
  })
})

import { createRunContext, type DumpRequest } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
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
    `create extension hstore; create schema lib;
     create type mood as enum ('well'); create domain lib.short as text check (length(value) < 9);
     create function lib.twice(i int) returns int language sql immutable as 'select 2 * i';
     create function touch() returns trigger language plpgsql as 'begin return new; end';
     create sequence numbers; create collation lib.plain (provider = libc, locale = 'C');
     create table alone (id int generated always as identity primary key, n serial, "when" timestamptz default now());
     create table again (id int references alone (id));
     create table of_type (m mood);
     create table of_array (m mood[], s lib.short, h hstore, t text collate lib.plain);
     create table of_function (i int default lib.twice(1), j int check (lib.twice(j) > 0));
     create table of_sequence (i int default nextval('numbers'));
     create table of_index (i int); create index on of_index (lib.twice(i));
     create table of_trigger (i int);
     create trigger touched before insert on of_trigger for each row execute function touch();
     create table of_policy (i int); create policy even on of_policy using (lib.twice(i) = 2);
     create table of_row (a alone);
     create table itself (i int); create table parted (i int) partition by list (i);
     create table part partition of parted for values in (1);
     create view looks as select id, lib.twice(id) from alone`,
  )
})
afterAll(() => server.stop())

async function warningsOf(request: DumpRequest): Promise<readonly string[]> {
  const source = postgres({ url: server.url('shop'), binDir: server.binDir })
  return (await memoryBackup(source, request, ctx)).manifest.warnings ?? []
}

describe('a dump of chosen tables', () => {
  it.each<[tables: readonly string[], used: string]>([
    [['of_type'], 'type public.mood'],
    [['of_array'], 'collation lib.plain, extension hstore, type lib.short, type public.mood[]'],
    [['of_function'], 'function lib.twice(integer)'],
    [['of_sequence'], 'sequence public.numbers'],
    [['of_index'], 'function lib.twice(integer)'],
    [['of_trigger'], 'function public.touch()'],
    [['of_policy'], 'function lib.twice(integer)'],
    [['of_row'], 'type public.alone'],
    [['again'], 'table public.alone'],
    [['part'], 'table public.parted'],
    [['looks'], 'function lib.twice(integer), table public.alone'],
    [['of_type', 'again'], 'table public.alone, type public.mood'],
  ])('of %j says that it has to be restored where this exists: %s', async (tables, used) => {
    expect(await warningsOf({ tables })).toEqual([expect.stringContaining(`does not hold: ${used}. Where`)])
  })

  it.each<DumpRequest>([
    { tables: ['alone', 'again'] },
    { tables: ['parted', 'itself'] },
    { tables: ['of_sequence', 'numbers'] },
    { tables: ['of_type'], sections: 'data' },
    { excludeTables: ['alone'] },
    {},
  ])('says nothing where it holds all that it uses: %j', async (request) => {
    expect(await warningsOf(request)).toEqual([])
  })

  it('says it of the schema alone as well, and counts what there is too much of', async () => {
    await server.sql('shop', Array.from({ length: 12 }, (_, i) => `create type t${i} as enum ('a')`).join(';'))
    const columns = Array.from({ length: 12 }, (_, i) => `c${i} t${i}`).join(', ')
    await server.sql('shop', `create table many (${columns})`)
    const [said] = await warningsOf({ tables: ['many'], sections: 'schema' })
    expect(said).toContain('type public.t0, type public.t1, type public.t10')
    expect(said).toContain(' and 2 more. ')
  })
})

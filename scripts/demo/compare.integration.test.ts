import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PostgresServer, startPostgres } from '../../tests/support/src/postgres-server.ts'
import { compareTables, plainDumpHash } from './compare.ts'

const contents = [
  'create table goods (id bigint generated always as identity primary key, name text not null)',
  "insert into goods (name) values ('rope'), ('anchor'), ('say \"hi\"')",
  'create table empty (id int)',
]

describe('comparing two databases', () => {
  let server: PostgresServer
  let copies = 0

  beforeAll(async () => {
    server = await startPostgres()
    await server.createDatabase('source')
    await server.sql('source', contents.join(';'))
  })
  afterAll(() => server.stop())

  /** A database made like the source, with what was changed in it since. */
  async function copyWith(...changes: string[]): Promise<string> {
    const name = `copy${++copies}`
    await server.createDatabase(name)
    await server.sql(name, [...contents, ...changes].join(';'))
    return name
  }
  async function differences(copy: string): Promise<string[]> {
    const tables = await compareTables(server, 'source', copy)
    const different = tables.filter(({ equal }) => !equal).map(({ table }) => table)
    const dumpsEqual = (await plainDumpHash(server, 'source')) === (await plainDumpHash(server, copy))
    return dumpsEqual ? different : [...different, 'plain dumps']
  }

  it('finds equal ones equal, wherever the server puts the rows', async () => {
    const moved = "delete from goods where name = 'rope'; insert into goods overriding system value values (1, 'rope')"
    expect(await differences(await copyWith())).toEqual([])
    expect(await differences(await copyWith(moved))).toEqual([])
  })

  it.each([
    ['a changed value', "update goods set name = 'ropes' where id = 1", ['public.goods', 'plain dumps']],
    ['a missing row', 'delete from goods where id = 2', ['public.goods', 'plain dumps']],
    ['a row too many', 'insert into empty values (1)', ['public.empty', 'plain dumps']],
    ['a missing table', 'drop table empty', ['public.empty', 'plain dumps']],
    ['a table too many', 'create table more (id int)', ['public.more', 'plain dumps']],
    ['a sequence that stands elsewhere', "select setval('goods_id_seq', 99)", ['plain dumps']],
    ['another default', 'alter table goods alter name set default 5', ['plain dumps']],
  ])('notices %s', async (_, change, expected) => {
    expect(await differences(await copyWith(change))).toEqual(expected)
  })
})

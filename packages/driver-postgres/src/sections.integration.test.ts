import { createRunContext, type Driver, type DumpSection, type SectionOptions } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import { nastyDatabase, type PostgresServer, quoteName, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres } from './driver.js'

const ctx = createRunContext()
let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres({ settings: { max_locks_per_transaction: 256 } })
  await server.createDatabase('source')
  await server.sql('source', nastyDatabase)
  await server.sql('source', changeable)
})
afterAll(() => server.stop())

const changeable = `
  create table orders (id int primary key, state varchar(10) not null check (state in ('new', 'sent')), note text);
  insert into orders select i, 'new', repeat('note ', i % 300) from generate_series(1, 5000) i;
  create index by_state on orders (id) where state in ('new', 'sent');
  create view sent as select * from orders where state in ('sent', 'new') and state not in ('x', 'y');
  create table late_child (b text, a int);
  create table late_parent (a int, b text);
  alter table late_child inherit late_parent;
  insert into late_child values ('b', 1);
  create table public.overloaded_int (a int);
  create operator class nasty_ops for type int4 using hash as operator 1 =, function 1 hashint4(int4);
  create operator class nasty_ops for type int4 using btree as operator 1 <, operator 2 <=, operator 3 =,
    operator 4 >=, operator 5 >, function 1 btint4cmp(int4, int4);
  create sequence plain_seq;
  select setval('plain_seq', 41);`

const driverOf = (database: string, format = 'custom'): Driver =>
  postgres({ url: server.url(database), binDir: server.binDir, format: format as 'custom' })

async function sectionsOf(
  database: string,
  format: string,
  options: SectionOptions = {},
): Promise<readonly DumpSection[]> {
  const driver = driverOf(database, format)
  const { parts, open } = await memoryBackup(driver, {}, ctx)
  const [part] = parts
  return (await driver.sections?.(part!, open(part!.name, ctx), ctx, options)) ?? []
}

async function rowsOf(database: string, format: string, section: string): Promise<string[]> {
  const driver = driverOf(database, format)
  const { parts, open } = await memoryBackup(driver, {}, ctx)
  const [part] = parts
  const found: string[] = []
  for await (const row of driver.rows!(part!, open(part!.name, ctx), section, ctx))
    found.push(Buffer.from(row).toString())
  return found
}

/** Names of the sections that are not the same in both. */
function differences(a: readonly DumpSection[], b: readonly DumpSection[]): string[] {
  const text = ({ kind, name, sha256 }: DumpSection): string => `${kind} ${name} ${sha256}`
  const [inA, inB] = [new Set(a.map(text)), new Set(b.map(text))]
  const names = [...a.filter((one) => !inB.has(text(one))), ...b.filter((one) => !inA.has(text(one)))].map(
    ({ name }) => name,
  )
  return [...new Set(names)].sort()
}

describe.each(['custom', 'plain'])('sections of a %s dump', (format) => {
  const copy = async (name: string, change = ''): Promise<readonly DumpSection[]> => {
    await server.sql('postgres', `create database ${quoteName(name)} template source`)
    if (change) await server.sql(name, change)
    const found = await sectionsOf(name, format)
    await server.sql('postgres', `drop database ${quoteName(name)}`)
    return found
  }

  it('are the same for each dump of a database, and for a copy of it', async () => {
    const once = await sectionsOf('source', format)
    expect(differences(once, await sectionsOf('source', format))).toEqual([])
    expect(differences(once, await copy('copy'))).toEqual([])
    expect(new Set(once.map(({ name }) => name)).size).toBe(once.length)
  })

  it('are the same once the database was restored from the dump', async () => {
    const source = driverOf('source', format)
    const backup = await memoryBackup(source, {}, ctx)
    const target = driverOf(`restored ${format}`)
    await target.restore(backup, { mode: 'create' }, ctx)
    const found = differences(await sectionsOf('source', format), await sectionsOf(`restored ${format}`, format))
    // Its columns come in another order.
    expect(found).toEqual(['rows of public.late_child'])
    const unordered = new Set(found)
    const [before, after] = [
      await sectionsOf('source', format, { unordered }),
      await sectionsOf(`restored ${format}`, format, { unordered }),
    ]
    expect(differences(before, after)).toEqual([])
  })

  it.each([
    ['update orders set note = $$x$$ where id = 77', ['rows of public.orders']],
    ['delete from orders where id = 5000', ['rows of public.orders']],
    [`insert into orders values (5001, 'new', null)`, ['rows of public.orders']],
    ['drop index by_state', ['index public.by_state']],
    ['drop trigger touched on parent', ['trigger public.parent touched']],
    ['alter table parent disable trigger touched', ['trigger public.parent touched']],
    ['alter table orders drop constraint orders_state_check', ['table public.orders']],
    [`alter table orders alter note set default 'x'`, ['table public.orders']],
    ['create or replace view sent as select * from orders where false', ['view public.sent']],
    ['alter table child drop constraint child_parent_id_fkey', ['foreign key public.child child_parent_id_fkey']],
    [`select nextval('plain_seq')`, ['value of sequence public.plain_seq']],
    [`select lo_put(990004, 150000, 'x')`, ['content of large object 990004']],
    [
      `select lo_unlink(990003)`,
      ['content of large object 990003', 'large object 990003', 'owner of large object 990003'],
    ],
    [`comment on table orders is 'x'`, ['comment on table public.orders']],
    ['grant select on orders to public', ['grants on table public.orders']],
    ['alter table orders owner to nasty_reader', ['owner of table public.orders']],
    ['drop operator class nasty_ops using hash; drop operator family nasty_ops using hash', 'nasty_ops'],
    ['drop extension citext cascade', 'citext'],
  ])('differ after %s', async (change, expected) => {
    const found = differences(await sectionsOf('source', format), await copy('changed', change))
    if (typeof expected === 'string') expect(found.some((name) => name.includes(expected))).toBe(true)
    else expect(found).toEqual(expected)
  })

  it('have rows, as COPY writes them', async () => {
    expect(await rowsOf('source', format, 'rows of public.-dash first')).toEqual(
      await server
        .sql<{ row: string }>(
          'source',
          `select id || E'\\t' || coalesce(replace(replace(replace(v, E'\\\\', E'\\\\\\\\'), E'\\n', '\\n'), E'\\r', '\\r'), '\\N') as row from "-dash first"`,
        )
        .then((found) => found.map(({ row }) => row)),
    )
    expect(await rowsOf('source', format, 'rows of public.no columns')).toEqual([''])
    expect(await rowsOf('source', format, 'rows of public.empty')).toEqual([])
    expect(await rowsOf('source', format, 'rows of public.orders')).toHaveLength(5000)
    expect(await rowsOf('source', format, 'table public.orders')).toEqual([])
  })
})

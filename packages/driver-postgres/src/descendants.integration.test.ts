import { createRunContext, type Driver, type DumpRequest } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dropDatabase, plainDump } from '../test/support.js'
import { postgres } from './driver.js'
import type { PostgresOptions } from './options.js'

const ctx = createRunContext()
const source = 'source'
const schemas = 'create schema old; create schema "Odd ""Schema"'
/** Partitions at two levels and in three schemas, and what inherits; names of them that mean something in patterns. */
const tables = `
  create table parts (id int, kind text) partition by range (id);
  create table "parts.1 $|*?" partition of parts for values from (0) to (10);
  create table "Odd ""Schema"."Parts (20)" partition of parts for values from (10) to (20) partition by list (kind);
  create table old."a_""b" partition of "Odd ""Schema"."Parts (20)" for values in ('a');
  create table old.rest partition of "Odd ""Schema"."Parts (20)" default;
  insert into parts select i, chr(97 + i % 3) from generate_series(0, 19) i;
  create table base (i int, v text default ') INHERITS (nothing)');
  create table kid (j int) inherits (base);
  create table old.grandchild () inherits (kid);
  insert into base values (1); insert into kid values (2); insert into old.grandchild values (3), (4);
  create table "parts.1 xyz" (i int); insert into "parts.1 xyz" values (1);
  create table uses_base (b base);
  create table other (i int); insert into other values (1)`
let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
  await server.createDatabase(source)
  await server.sql(source, `${schemas}; ${tables}`)
})
afterAll(() => server.stop())

function driverOf(database: string, options: PostgresOptions = {}): Driver {
  return postgres({ url: server.url(database), binDir: server.binDir, ...options })
}

async function backupOf(request: DumpRequest, options: PostgresOptions = {}): Promise<MemoryBackup> {
  return await memoryBackup(driverOf(source, options), { inventory: 'counts', ...request }, ctx)
}

const counted = ({ manifest }: MemoryBackup): Readonly<Record<string, number>> =>
  Object.fromEntries((manifest.inventory?.tables ?? []).map(({ schema, name, rows }) => [`${schema}.${name}`, rows]))

const ofParts = { 'public.parts.1 $|*?': 10, 'old.a_"b': 3, 'old.rest': 7 }
const ofBase = { 'public.base': 1, 'public.kid': 1, 'old.grandchild': 2 }

/** Into a database that has the schemas, which a dump of chosen tables does not hold. */
async function restored(backup: MemoryBackup): Promise<string> {
  await dropDatabase(server, 'target')
  await server.createDatabase('target')
  await server.sql('target', schemas)
  await driverOf('target').restore(backup, { mode: 'append' }, ctx)
  return await plainDump(server, 'target', ['--exclude-table=public.uses_base'])
}

describe('a backup of chosen tables', () => {
  it.each(['custom', 'plain'] as const)(
    'holds the rows of their partitions and of what inherits (%s)',
    async (format) => {
      const backup = await backupOf({ tables: ['parts', 'base'], format })
      expect(counted(backup)).toEqual({ ...ofParts, ...ofBase })
      expect(backup.manifest).toMatchObject({ warnings: [], options: { tables: ['parts', 'base'] } })
      expect(await restored(backup)).toBe(
        await plainDump(server, source, ['-T', 'uses_base', '-T', 'other', '-T', '"parts.1 xyz"']),
      )
    },
  )

  it('goes into a new database and an empty one, where its schemas are made; and leaves none behind', async () => {
    const backup = await backupOf({ tables: ['parts'] })
    const made = [expect.stringContaining('The schemas "Odd ""Schema", "old", not part of a backup of chosen tables')]
    await dropDatabase(server, 'target')
    const cut: MemoryBackup = {
      ...backup,
      async *open(...given) {
        for await (const chunk of backup.open(...given)) yield chunk.subarray(0, -200)
      },
    }
    const schemasOf = (): Promise<unknown> =>
      server.sql('target', "select nspname from pg_namespace where nspname in ('old', 'Odd \"Schema')")
    for (const isNew of [true, false]) {
      if (!isNew) {
        await dropDatabase(server, 'target')
        await server.createDatabase('target')
        await expect(driverOf('target').restore(cut, { mode: 'create' }, ctx)).rejects.toThrow()
        expect(await schemasOf()).toEqual([])
      }
      const { created, warnings } = await driverOf('target').restore(backup, { mode: 'create' }, ctx)
      expect([created, warnings]).toEqual([isNew, expect.arrayContaining(made)])
      expect(await server.sql('target', 'select count(*)::int as n from parts')).toEqual([{ n: 20 }])
    }
  })

  it('holds them without an inventory as well', async () => {
    await restored(await backupOf({ tables: ['parts'], inventory: 'none' }))
    expect(await server.sql('target', 'select count(*)::int as n from parts')).toEqual([{ n: 20 }])
  })

  it('holds no rows of descendants that are excluded, alone, with a parent, or with their schema', async () => {
    const rows = async (request: DumpRequest, options: PostgresOptions = {}): Promise<Record<string, number>> => {
      const backup = await backupOf(request, options)
      const dumped = (await driverOf(source).contents?.(backup, ctx)) ?? []
      const names = dumped.filter(({ kind }) => kind === 'table').map(({ schema, name }) => `${schema}.${name}`)
      expect(names, 'the inventory lists what is dumped').toEqual(expect.arrayContaining(Object.keys(counted(backup))))
      expect(names.filter((name) => name in { ...ofParts, ...ofBase }).length).toBe(Object.keys(counted(backup)).length)
      return { ...counted(backup) }
    }
    expect(await rows({ tables: ['parts'], excludeTables: ['old.rest'] })).toEqual({
      'public.parts.1 $|*?': 10,
      'old.a_"b': 3,
    })
    expect(await rows({ tables: ['parts'], excludeTables: ['*."Parts (20)"'] })).toEqual({ 'public.parts.1 $|*?': 10 })
    expect(await rows({ tables: ['base'] }, { excludeSchemas: ['old'] })).toEqual({ 'public.base': 1, 'public.kid': 1 })
    expect(await rows({ excludeTables: ['parts', 'kid', 'other', 'uses_base', '"parts.1 xyz"'] })).toEqual({
      'public.base': 1,
    })
  })
})

it.each(['clean', 'append'] as const)('a chosen table is restored with what inherits from it (%s)', async (mode) => {
  const whole = await backupOf({})
  await dropDatabase(server, 'target')
  await server.createDatabase('target')
  await server.sql('target', `${schemas}; ${mode === 'clean' ? tables : ''}`)
  if (mode === 'clean') await server.sql('target', 'drop table uses_base; delete from base; update other set i = 2')
  await driverOf('target').restore(whole, { mode, tables: ['base'] }, ctx)
  expect(await server.sql('target', 'select tableoid::regclass::text as t, i from base order by i')).toEqual([
    { t: 'base', i: 1 },
    { t: 'kid', i: 2 },
    { t: 'old.grandchild', i: 3 },
    { t: 'old.grandchild', i: 4 },
  ])
  if (mode === 'clean') expect(await server.sql('target', 'select i from other')).toEqual([{ i: 2 }])
})

it('a backup of chosen schemas says which rows of their tables are elsewhere', async () => {
  const backup = await backupOf({}, { schemas: ['public'] })
  expect(backup.manifest.warnings).toEqual([
    'Rows of tables in the chosen schemas are in tables of other schemas, which are not dumped: "old"."a_""b", "old"."grandchild", "old"."rest"',
  ])
  expect((await backupOf({}, { schemas: ['old'] })).manifest.warnings).toEqual([])
})

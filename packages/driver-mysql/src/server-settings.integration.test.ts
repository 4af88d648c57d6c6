import { type BackupError, isBackupError } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { afterEach, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'

const on = testDatabases('settings', [
  'create table t (i int primary key)',
  'create table u (i int primary key, v varchar(200))',
  'insert into t values (1), (2), (3)',
])
const { ctx, source, target } = on
const changed = new Set<string>()

/** For every session from now on, up to the end of the test. */
async function set(name: string, value: string | number): Promise<void> {
  changed.add(name)
  await on.server.sql(undefined, `set global ${name} = ${value}`)
}
afterEach(async () => {
  for (const name of changed) await on.server.sql(undefined, `set global ${name} = default`)
  changed.clear()
})
const rowsOf = (backup: MemoryBackup): string =>
  /INSERT INTO `t`[^;]*/.exec(backup.bytes.get('sql')?.toString() ?? '')?.[0].replace(/\s/g, '') ?? ''

it('a server that gives the first rows alone is told to give all, or refused where its program cannot say so', async () => {
  await set('sql_select_limit', 1)
  const found: MemoryBackup | BackupError = await memoryBackup(on.driverOf(source), {}, ctx).catch((error) => error)
  if (isBackupError(found)) {
    expect(found).toMatchObject({ code: 'dump-failed', message: expect.stringContaining('gives 1 rows of a table') })
    expect(found.hint).toContain('SET GLOBAL sql_select_limit = DEFAULT')
  } else expect(rowsOf(found)).toContain('(1),(2),(3)')
  expect((await on.driverOf(source).probe(ctx)).database?.tables).toBe(2)
})

it('a limit to the time of statements does not end those of a backup or a restore', async () => {
  await on.server.sql(source, `insert into u select 1, ''`)
  for (let rows = 1; rows < 200_000; rows *= 2) {
    await on.server.sql(source, `insert into u select i + ${rows}, repeat('x', 100) from u`)
  }
  await (on.server.isMariadb ? set('max_statement_time', 0.05) : set('max_execution_time', 50))
  const backup = await memoryBackup(on.driverOf(source), { inventory: 'checksums' }, ctx)
  expect(backup.manifest.inventory?.tables.map(({ rows }) => rows)).toEqual([3, 262_144])
  await on.driverOf(target).restore(backup, { mode: 'create' }, ctx)
  for (const name of changed) await on.server.sql(undefined, `set global ${name} = default`)
  expect(await on.server.sql(target, 'select count(*) as n from u')).toEqual([{ n: 262_144 }])
  await on.server.sql(source, 'delete from u')
})

it('a server without tables that have no primary key can be restored to, in every mode', async () => {
  await set(on.server.isMariadb ? 'innodb_force_primary_key' : 'sql_require_primary_key', 1)
  await set('autocommit', 0)
  await on.driverOf(target).restore(on.backup, { mode: 'create' }, ctx)
  await on.driverOf(target).restore(on.backup, { mode: 'clean' }, ctx)
  await on.staged()
  expect(await on.server.sql(target, 'select i from t')).toHaveLength(3)
})

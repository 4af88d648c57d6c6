import { createRunContext } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres, startStandby } from '@holdfast/test-support'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { postgres } from './driver.js'

const ctx = createRunContext()
let primary: PostgresServer
let standby: PostgresServer

beforeAll(async () => {
  primary = await startPostgres()
  await primary.createDatabase('shop')
  await primary.sql(
    'shop',
    `create table kept (i int); insert into kept values (1), (2);
     create unlogged table fast (i int); insert into fast values (1);
     create unlogged table faster (i int)`,
  )
  standby = await startStandby(primary)
})
afterAll(async () => {
  await standby?.stop()
  await primary.stop()
})

it('a standby is backed up, and what it has no rows of is told', async () => {
  const source = postgres({ url: standby.url('shop'), binDir: standby.binDir })
  const backup = await memoryBackup(source, { inventory: 'checksums' }, ctx)
  const said = expect.stringContaining(
    'no rows of unlogged tables: the dump holds none of "public"."fast", "public"."faster".',
  )
  expect(backup.manifest.warnings).toEqual([said])
  expect(backup.manifest.inventory).toMatchObject({ exact: true, tables: [{ name: 'kept', rows: 2 }] })
  expect(
    (await memoryBackup(source, { excludeTables: ['fast*'], inventory: 'counts' }, ctx)).manifest.warnings,
  ).toEqual([])
  expect((await memoryBackup(source, { sections: 'schema' }, ctx)).manifest.warnings).toEqual([])

  const target = postgres({ url: primary.url('copy'), binDir: primary.binDir })
  await target.restore(backup, { mode: 'create' }, ctx)
  expect(await primary.sql('copy', 'select i from kept order by i')).toEqual([{ i: 1 }, { i: 2 }])
  expect(await primary.sql('copy', 'select i from fast')).toEqual([])
})

it('a primary has all of its rows', async () => {
  const source = postgres({ url: primary.url('shop'), binDir: primary.binDir })
  const { manifest } = await memoryBackup(source, { inventory: 'counts' }, ctx)
  expect(manifest.warnings).toEqual([])
  expect(manifest.inventory?.tables.map(({ rows }) => rows)).toEqual([1, 0, 2])
})

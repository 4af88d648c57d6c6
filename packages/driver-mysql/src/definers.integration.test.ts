import { createRunContext, type Driver, type RestoreReport } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type MysqlServer, startMariadb } from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dropDatabases } from '../test/support.js'
import { mysql } from './driver.js'

const ctx = createRunContext()
const own = process.pid.toString(36)
const source = `definers_source_${own}`
const target = `definers_target_${own}`
let server: MysqlServer
let backup: MemoryBackup

const driverOf = (database: string, options: object = {}): Driver =>
  mysql({ ...(server.binDir ? { binDir: server.binDir } : {}), url: server.url(database), ...options })
const restored = (from: MemoryBackup, options: object = {}, request: object = {}): Promise<RestoreReport> =>
  driverOf(target, options).restore(from, { mode: 'create', ...request }, ctx)

beforeAll(async () => {
  server = await startMariadb()
  await server.createDatabase(source)
  await server.sql(
    source,
    'create table t (i int)',
    'create view as_owner as select * from t',
    'create sql security invoker view as_reader as select * from t',
    'create trigger one before insert on t for each row set new.i = 1',
    'create trigger two before update on t for each row set new.i = 2',
    'create procedure as_caller() sql security invoker select 1',
    'create procedure as_maker() select 1',
    'create event rarely on schedule every 1 year do select 1',
  )
  backup = await memoryBackup(driverOf(source), {}, ctx)
})
afterEach(() => dropDatabases(server, target))
afterAll(async () => {
  await dropDatabases(server, source)
  await server.stop()
})

/** As a dump of another place may be, or of a program that takes definers out. */
function withoutDefiners(): MemoryBackup {
  const text = backup.bytes.get('sql')?.toString('latin1') ?? ''
  const bytes = Buffer.from(text.replace(/DEFINER=`[^`]*`@`[^`]*`/g, ''), 'latin1')
  return {
    ...backup,
    async *open() {
      yield bytes
    },
  }
}

describe('what comes without a definer', () => {
  it('is warned of once, with counts, and by the name of the user who has it now', async () => {
    const { warnings } = await restored(withoutDefiners())
    expect(warnings).toEqual([expect.stringMatching(/^(1|2) \w+/)])
    for (const part of ['1 view', '2 triggers', '1 procedure', '1 event', `the rights of ${server.user}@`]) {
      expect(warnings[0]).toContain(part)
    }
  })

  it('is warned of where it was taken away on request', async () => {
    expect((await restored(backup, { definer: 'invoker' })).warnings).toEqual([expect.stringContaining('2 triggers')])
    await dropDatabases(server, target)
    expect((await restored(backup, {}, { noOwner: true })).warnings).toEqual([expect.stringContaining('2 triggers')])
  })

  it('is not, where definers are as they were', async () => {
    expect((await restored(backup)).warnings).toEqual([])
  })

  it('is not, where everything runs with the rights of its caller', async () => {
    await server.sql(
      source,
      ...['drop trigger one', 'drop trigger two', 'drop procedure as_maker', 'drop event rarely', 'drop view as_owner'],
    )
    const harmless = await memoryBackup(driverOf(source), {}, ctx)
    expect((await restored(harmless, { definer: 'invoker' })).warnings).toEqual([])
  })
})

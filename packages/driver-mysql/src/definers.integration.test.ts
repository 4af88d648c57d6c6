import type { RestoreReport } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { describe, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { dropDatabases } from '../test/support.js'

const on = testDatabases('definers', [
  'create table t (i int)',
  'create view as_owner as select * from t',
  'create sql security invoker view as_reader as select * from t',
  'create trigger one before insert on t for each row set new.i = 1',
  'create trigger two before update on t for each row set new.i = 2',
  'create procedure as_caller() sql security invoker select 1',
  'create procedure as_maker() select 1',
  'create event rarely on schedule every 1 year do select 1',
])
const { ctx, source, target, driverOf } = on

const restored = (from: MemoryBackup, options: object = {}, request: object = {}): Promise<RestoreReport> =>
  driverOf(target, options).restore(from, { mode: 'create', ...request }, ctx)

/** As a dump of another place may be, or of a program that takes definers out. */
function withoutDefiners(): MemoryBackup {
  const text = on.backup.bytes.get('sql')?.toString('latin1') ?? ''
  const bytes = Buffer.from(text.replace(/DEFINER=`[^`]*`@`[^`]*`/g, ''), 'latin1')
  return {
    ...on.backup,
    async *open() {
      yield bytes
    },
  }
}

describe('what comes without a definer', () => {
  it('is warned of once, with counts, and by the name of the user who has it now', async () => {
    const { warnings } = await restored(withoutDefiners())
    expect(warnings).toEqual([expect.stringMatching(/^(1|2) \w+/)])
    for (const part of ['1 view', '2 triggers', '1 procedure', '1 event', `the rights of ${on.server.user}@`]) {
      expect(warnings[0]).toContain(part)
    }
  })

  it('is warned of where it was taken away on request', async () => {
    expect((await restored(on.backup, { definer: 'invoker' })).warnings).toEqual([
      expect.stringContaining('2 triggers'),
    ])
    await dropDatabases(on.server, target)
    expect((await restored(on.backup, {}, { noOwner: true })).warnings).toEqual([expect.stringContaining('2 triggers')])
  })

  it('is not, where definers are as they were', async () => {
    expect((await restored(on.backup)).warnings).toEqual([])
  })

  it('is not, where everything runs with the rights of its caller', async () => {
    await on.server.sql(
      source,
      ...['drop trigger one', 'drop trigger two', 'drop procedure as_maker', 'drop event rarely', 'drop view as_owner'],
    )
    const harmless = await memoryBackup(driverOf(source), {}, ctx)
    expect((await restored(harmless, { definer: 'invoker' })).warnings).toEqual([])
  })
})

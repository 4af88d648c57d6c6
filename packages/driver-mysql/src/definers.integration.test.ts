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
const definer = /DEFINER=`[^`]*`@`[^`]*`/g

const restored = (from: MemoryBackup, options: object = {}, request: object = {}): Promise<RestoreReport> =>
  driverOf(target, options).restore(from, { mode: 'create', ...request }, ctx)

function changed(change: (text: string) => string): MemoryBackup {
  const bytes = Buffer.from(change(on.backup.bytes.get('sql')?.toString('latin1') ?? ''), 'latin1')
  return {
    ...on.backup,
    async *open() {
      yield bytes
    },
  }
}

/** As a dump of another place may be, or of a program that takes definers out. */
const withoutDefiners = (): MemoryBackup => changed((text) => text.replace(definer, ''))

const ofRoot = (): MemoryBackup => changed((text) => text.replace(definer, 'DEFINER=`root`@`localhost`'))

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
})

describe('a dump in a file, of which nobody knows who has made it', () => {
  const inFile = (backup: MemoryBackup): MemoryBackup => ({ ...backup, fromFile: true })

  it('is warned of where it names others as definers, with their names and what to do', async () => {
    const { warnings } = await restored(inFile(ofRoot()))
    expect(warnings).toEqual([expect.stringMatching(/: root@localhost\. .*--no-owner/)])
    for (const part of ['1 view', '2 triggers', '1 procedure', '1 event']) expect(warnings[0]).toContain(part)
  })

  it('is warned of with ten of its definers at most', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `somebody_${index + 10}`)
    const more = names.map((name) => `CREATE DEFINER=\`${name}\`@\`%\` PROCEDURE ${name}() SELECT 1;\n`).join('')
    const dump = changed((text) => text.replace('-- Dump completed', `${more}-- Dump completed`))
    const { warnings } = await restored(inFile(dump))
    expect(warnings).toEqual([
      expect.stringMatching(/13 procedures .*somebody_18@% and 3 more\./),
      expect.stringMatching(/^12 procedures .*does not have: somebody_10@%, .* and 2 more\./),
    ])
  })

  it('is warned of where it names the restoring user, with whose rights it acts as well', async () => {
    expect((await restored(inFile(on.backup))).warnings).toEqual([
      expect.stringMatching(new RegExp(`: ${on.server.user}@.*--no-owner`)),
    ])
  })

  it('is not, where its definers are not kept', async () => {
    for (const [options, request] of [
      [{ definer: 'invoker' }, {}],
      [{}, { noOwner: true }],
    ]) {
      const { warnings } = await restored(inFile(ofRoot()), options, request)
      await dropDatabases(on.server, target)
      expect(warnings).toEqual([expect.stringContaining('came without a definer, or lost it')])
    }
  })

  it('is looked at before by what the restoring user may do', async () => {
    const little = `definers_${process.pid.toString(36)}`
    await on.server.sql(
      undefined,
      `create user ${little}@'%' identified by 'little'`,
      `grant all on \`definers\\_%\`.* to ${little}@'%'`,
    )
    const asLittle = { url: on.server.url(target, { user: little, password: 'little' }) }
    const look = async (from: MemoryBackup, options: object = {}, request: object = {}): Promise<unknown> =>
      await driverOf(target, options).preflight?.(from, { mode: 'create', ...request }, ctx)
    const harmless = { problems: [], warnings: [] }
    expect(await look(inFile(ofRoot()))).toEqual({ problems: [], warnings: [expect.stringContaining('--no-owner')] })
    expect(await look(inFile(ofRoot()), {}, { noOwner: true })).toEqual(harmless)
    expect(await look(inFile(ofRoot()), {}, { sections: 'data' })).toEqual(harmless)
    expect(await look(inFile(ofRoot()), asLittle)).toMatchObject({ warnings: [] })
    expect(await look(ofRoot())).toEqual(harmless)
    await on.server.sql(undefined, `drop user ${little}@'%'`)
  })
})

it('a backup on a storage is not warned of, whoever its definers are', async () => {
  expect((await restored(ofRoot())).warnings).toEqual([])
})

describe('definers that the server does not have', () => {
  const ofNobody = (): MemoryBackup => changed((text) => text.replace(definer, 'DEFINER=`nobody`@`nowhere`'))

  it('are named, with what they were to define and what to do', async () => {
    const { warnings } = await restored(ofNobody())
    expect(warnings).toEqual([expect.stringMatching(/does not have: nobody@nowhere\. .*--no-owner/)])
    for (const part of ['1 view', '2 triggers', '1 procedure', '1 event']) expect(warnings[0]).toContain(part)
  })

  it('are not, where they are not kept', async () => {
    const { warnings } = await restored(ofNobody(), {}, { noOwner: true })
    expect(warnings).toEqual([expect.stringContaining('came without a definer, or lost it')])
  })

  it('are not, where the restoring user may not read the accounts', async () => {
    const little = `blind_${process.pid.toString(36)}`
    const right = on.server.isMariadb ? 'set user' : 'set_any_definer, allow_nonexistent_definer, super'
    await on.server.sql(
      undefined,
      `create user ${little}@'%' identified by 'little'`,
      `grant all on \`definers\\_%\`.* to ${little}@'%'`,
      `grant ${right} on *.* to ${little}@'%'`,
    )
    const url = on.server.url(target, { user: little, password: 'little' })
    expect((await restored(ofNobody(), { url })).warnings).toEqual([])
    await on.server.sql(undefined, `drop user ${little}@'%'`)
  })
})

it('what runs with the rights of its caller is not warned of', async () => {
  await on.server.sql(
    source,
    ...['drop trigger one', 'drop trigger two', 'drop procedure as_maker', 'drop event rarely', 'drop view as_owner'],
  )
  const harmless = await memoryBackup(driverOf(source), {}, ctx)
  expect((await restored(harmless, { definer: 'invoker' })).warnings).toEqual([])
})

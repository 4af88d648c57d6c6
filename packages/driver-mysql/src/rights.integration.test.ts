import type { PreflightFindings, RestoreSource } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import { startMariadb } from '@holdfast/test-support'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { databasesOf, dropDatabases, plainDump } from '../test/support.js'
import { mysql } from './driver.js'

const on = testDatabases('rights', [
  'create table t (i int)',
  'create view v as select i from t',
  'create trigger t_added before insert on t for each row set new.i = 1',
  'create procedure p() select 1',
  'create event rarely on schedule every 1 year do select 1',
])
const { target, ctx } = on
const guest = { user: `rights_${process.pid.toString(36)}`, password: 'a guest' }
const account = `${guest.user}@'%'`
const pattern = target.replaceAll('_', '\\_')

beforeEach(() =>
  on.server.sql(
    undefined,
    ...[`drop user if exists ${account}`, `create user ${account} identified by '${guest.password}'`],
    // MySQL writes a binary log, and lets nobody else make triggers.
    ...(on.server.isMariadb ? [] : [`grant super on *.* to ${account}`]),
    ...[`grant all on \`${pattern}\`.* to ${account}`, `grant all on \`${pattern}\\_\\_%\`.* to ${account}`],
  ),
)
afterAll(() => on.server.sql(undefined, `drop user if exists ${account}`))

const asGuest = () => on.driverOf(target, { url: on.server.url(target, guest), definer: 'invoker' })
const look = async (
  mode: 'create' | 'staged' | 'clean' | 'append',
  from: RestoreSource = on.backup,
  request: object = {},
) => (await asGuest().preflight?.(from, { mode, ...request }, ctx)) as PreflightFindings
const revoke = (right: string, schema = pattern): Promise<unknown> =>
  on.server.sql(undefined, `revoke ${right} on \`${schema}\`.* from ${account}`)

/** As of a file that Holdfast has not made. */
function unknown(): RestoreSource {
  const { holds: _, ...options } = on.backup.manifest.options
  return { ...on.backup, manifest: { ...on.backup.manifest, options } }
}

describe('a right that a restore lacks for what the backup holds', () => {
  it.each(['CREATE VIEW', 'TRIGGER', 'CREATE ROUTINE', 'EVENT'])(
    'is named before anything is touched: %s',
    async (right) => {
      await revoke(right)
      const { problems, warnings } = await look('create')
      const message = `The user ${guest.user}@% lacks ${right} on \`${target}\``
      expect({ problems, warnings }).toEqual({
        problems: [{ message, hint: expect.stringContaining(`GRANT ${right} ON`) }],
        warnings: [],
      })
      const restoring = asGuest().restore(on.backup, { mode: 'create' }, ctx)
      await expect(restoring).rejects.toMatchObject({ code: 'restore-refused', message })
      expect(await databasesOf(on.server)).not.toContain(target)
      await on.server.sql(undefined, problems[0]?.hint ?? '')
      expect((await look('create')).problems).toEqual([])
      await asGuest().restore(on.backup, { mode: 'create' }, ctx)
    },
  )

  it('is a warning where it is not known whether the backup holds such', async () => {
    for (const right of ['CREATE VIEW', 'EVENT']) await revoke(right)
    expect(await look('create', unknown())).toEqual({
      problems: [],
      warnings: [expect.stringMatching(/lacks CREATE VIEW, EVENT on .* if the dump holds what takes it/)],
    })
    await revoke('TRIGGER')
    expect(await look('create', on.backup, { tables: ['t'] })).toEqual({
      problems: [],
      warnings: [expect.stringContaining('lacks TRIGGER on')],
    })
  })

  it('is a warning where a role may give it', async () => {
    const role = `${guest.user}_role`
    await on.server.sql(undefined, `drop role if exists ${role}`, `create role ${role}`, `grant ${role} to ${account}`)
    await revoke('EVENT')
    const { problems, warnings } = await look('create')
    await on.server.sql(undefined, `drop role ${role}`)
    expect({ problems, warnings }).toEqual({
      problems: [],
      warnings: [expect.stringContaining('unless a role, ')],
    })
  })

  it('is a warning where a grant on a table, or one to the same user from another host, may give it', async () => {
    const { hostname } = new URL(on.server.url(target))
    const here = `${guest.user}@'${hostname}'`
    await on.server.createDatabase(target)
    await on.server.sql(target, 'create table t (i int)', 'create table v (i int)')
    for (const right of ['CREATE VIEW', 'TRIGGER']) await revoke(right)
    await on.server.sql(
      target,
      ...[`grant trigger on t to ${account}`, `grant create view on v to ${account}`, 'drop table t, v'],
    )
    const perhaps = { problems: [], warnings: [expect.stringContaining('or one to the same user from another host')] }
    expect(await look('create')).toEqual(perhaps)
    await asGuest().restore(on.backup, { mode: 'create' }, ctx)

    await dropDatabases(on.server, target)
    await on.server.sql(
      undefined,
      ...[`create user ${here} identified by '${guest.password}'`, `grant all on \`${pattern}\`.* to ${account}`],
      ...(on.server.isMariadb ? [] : [`grant super on *.* to ${here}`]),
    )
    try {
      expect(await look('create')).toEqual(perhaps)
      await asGuest().restore(on.backup, { mode: 'create' }, ctx)
    } finally {
      await on.server.sql(undefined, `drop user ${here}`)
    }
  })

  it('is none where the server writes names without quotes', async () => {
    await on.server.sql(undefined, 'set global sql_quote_show_create = 0')
    try {
      expect(await look('create')).toEqual({ problems: [], warnings: [] })
      await asGuest().restore(on.backup, { mode: 'create' }, ctx)
    } finally {
      await on.server.sql(undefined, 'set global sql_quote_show_create = 1')
    }
  })

  it('is not asked for by a restore of rows alone, or of a backup without such', async () => {
    for (const right of ['CREATE VIEW', 'TRIGGER', 'CREATE ROUTINE', 'EVENT']) await revoke(right)
    const { manifest } = on.backup
    const bare = { ...on.backup, manifest: { ...manifest, options: { ...manifest.options, holds: [] } } }
    expect(await look('create', bare)).toEqual({ problems: [], warnings: [] })
    expect(await look('create', on.backup, { sections: 'data' })).toEqual({ problems: [], warnings: [] })
  })
})

describe('a right that changing places takes', () => {
  it('is named for each database in which it is lacking, the one with the journal too', async () => {
    await on.server.createDatabase(target)
    await on.server.sql(target, 'create table t (i int)', 'insert into t values (7)')
    const before = await plainDump(on.server, target)
    await revoke('ALL', `${pattern}\\_\\_%`)
    const journal = `grant select, insert, create, drop, alter on \`${pattern}\\_\\_before\\_%\`.* to ${account}`
    await on.server.sql(undefined, journal, `grant all on \`${pattern}\\_\\_holdfast\\_%\`.* to ${account}`)
    const message = `The user ${guest.user}@% lacks CREATE VIEW on \`${target}__before_…\``
    for (const mode of ['staged', 'clean'] as const) {
      expect((await look(mode)).problems).toEqual([{ message, hint: expect.stringContaining('GRANT CREATE VIEW ON') }])
    }
    const refused = { code: 'restore-refused', message }
    await expect(asGuest().restore(on.backup, { mode: 'clean' }, ctx)).rejects.toMatchObject(refused)
    await expect(asGuest().scratch?.({ manifest: on.backup.manifest, toSwap: true }, ctx)).rejects.toMatchObject(
      refused,
    )
    expect(await plainDump(on.server, target)).toBe(before)
    expect(await on.beside()).toEqual([])

    const [problem] = (await look('clean')).problems
    await on.server.sql(undefined, problem?.hint ?? '')
    await asGuest().restore(on.backup, { mode: 'clean' }, ctx)
    expect(await on.server.sql(target, 'select * from t')).toEqual([])
    await on.server.sql(undefined, `revoke trigger, insert on \`${pattern}\\_\\_holdfast\\_%\`.* from ${account}`)
    expect((await look('staged')).problems.map((one) => one.message)).toEqual([
      `The user ${guest.user}@% lacks INSERT, TRIGGER on \`${target}__holdfast_…\``,
    ])
  })
})

it('rows are added by a user who may add rows, to a database that has the rest', async () => {
  await on.server.createDatabase(target)
  await on.server.sql(target, 'create table t (i int)', 'create view v as select i from t')
  await revoke('ALL')
  await on.server.sql(undefined, `grant select, insert, show view, trigger, event on \`${pattern}\`.* to ${account}`)
  expect(await look('append', on.backup, { sections: 'data' })).toEqual({
    problems: [],
    warnings: [expect.stringMatching(/lacks CREATE, DROP, ALTER on .* if the dump holds what takes it/)],
  })
  await asGuest().restore(on.backup, { mode: 'append', sections: 'data' }, ctx)
})

it('triggers and functions that a server with a binary log lets few users make are named before', async () => {
  await using server = await startMariadb({ settings: { 'log-bin': 'log' } })
  const trust = (state: unknown): Promise<unknown> =>
    server.sql(undefined, `set global log_bin_trust_function_creators = ${state}`)
  const [usual] = await server.sql<{ trust: number }>(undefined, 'select @@log_bin_trust_function_creators as trust')
  await trust('OFF')
  const logged = `logged_${process.pid.toString(36)}`
  const driverOf = (url: string) =>
    mysql({ url, definer: 'invoker', ...(server.binDir !== undefined && { binDir: server.binDir }) })
  await server.createDatabase(logged)
  const trigger = 'create trigger t_added before insert on t for each row set new.i = 1'
  await server.sql(logged, 'create table t (i int)', trigger)
  await server.sql(
    undefined,
    ...[`drop user if exists ${account}`, `create user ${account} identified by '${guest.password}'`],
    `grant all on \`${logged.replaceAll('_', '\\_')}%\`.* to ${account}`,
  )
  const backup = await memoryBackup(driverOf(server.url(logged)), {}, ctx)
  const target = driverOf(server.url(`${logged}_too`, guest))
  const findings = await target.preflight?.(backup, { mode: 'create' }, ctx)
  const message = `The server writes a binary log, for which it lets user ${guest.user}@% make no trigger`
  const hint = expect.stringContaining('log_bin_trust_function_creators')
  expect(findings).toEqual({ problems: [{ message, hint }], warnings: [] })
  await expect(target.restore(backup, { mode: 'create' }, ctx)).rejects.toMatchObject({ message })
  await server.sql(undefined, `grant super on *.* to ${account}`)
  expect(await target.preflight?.(backup, { mode: 'create' }, ctx)).toEqual({ problems: [], warnings: [] })
  await target.restore(backup, { mode: 'create' }, ctx)
  await trust(usual?.trust)
  await server.sql(undefined, `drop user ${account}`)
  await dropDatabases(server, logged)
})

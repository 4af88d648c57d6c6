import type { Driver, PreflightFindings, RestoreSource } from '@holdfast/core'
import mysql2 from 'mysql2/promise'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { plainDump } from '../test/support.js'

const on = testDatabases('remake', [
  'create table t (i int)',
  'insert into t values (1)',
  'create view v as select 1 as i',
])
const { ctx, target, warnings } = on
const guest = { user: `remake_${process.pid.toString(36)}`, password: 'a guest' }
const account = `${guest.user}@'%'`
const pattern = target.replaceAll('_', '\\_')

const asGuest = (): Driver =>
  on.driverOf(target, { url: on.server.url(target, guest), definer: 'invoker', lockTimeout: '1s' })
const look = async (mode: 'staged' | 'clean', from: RestoreSource = on.backup): Promise<PreflightFindings> =>
  (await asGuest().preflight?.(from, { mode }, ctx)) as PreflightFindings
const nameRight = (): string => (on.server.isMariadb ? 'set user' : 'set_any_definer, system_user')
const mayNameDefiners = (verb: 'grant' | 'revoke'): Promise<unknown> =>
  on.server.sql(undefined, `${verb} ${nameRight()} on *.* ${verb === 'grant' ? 'to' : 'from'} ${account}`)
const scratchOf = (driver: Driver) => driver.scratch?.({ manifest: on.backup.manifest, toSwap: true }, ctx)

/** The target holds what somebody else has made. */
beforeEach(async () => {
  await on.server.sql(
    undefined,
    ...[`drop user if exists ${account}`, `create user ${account} identified by '${guest.password}'`],
    ...[`grant all on \`${pattern}\`.* to ${account}`, `grant all on \`${pattern}\\_\\_%\`.* to ${account}`],
    on.server.isMariadb ? `grant select on mysql.proc to ${account}` : `grant show_routine on *.* to ${account}`,
  )
  await on.server.createDatabase(target)
  await on.server.sql(
    target,
    'create table t (i int)',
    'create table u (i int)',
    'insert into t values (7)',
    'create view seven as select * from t',
    'create procedure p() select 1',
    'create event rarely on schedule every 1 year do select 1',
    // MySQL writes a binary log, and lets few users make triggers.
    ...(on.server.isMariadb ? ['create trigger u_added before insert on u for each row set new.i = 1'] : []),
  )
})
afterAll(() => on.server.sql(undefined, `drop user if exists ${account}`))

describe('what a user could not make again', () => {
  it('refuses a staged restore before anything is touched, and says what helps', async () => {
    const before = await plainDump(on.server, target)
    const { problems } = await look('staged')
    expect(problems).toEqual([
      {
        message: expect.stringMatching(/remake_\w+@% may make nothing in the name of others.*`p`.*`seven`.*`rarely`/),
        hint: expect.stringMatching(/^GRANT SET.* ON \*\.\* TO/),
      },
    ])
    await expect(scratchOf(asGuest())).rejects.toMatchObject({ code: 'restore-refused', ...problems[0] })
    expect(await plainDump(on.server, target)).toBe(before)
    expect(await on.beside()).toEqual([])

    await on.server.sql(undefined, problems[0]?.hint?.replace(/;.*/, '') ?? '')
    expect((await look('staged')).problems).toEqual([])
  })

  it('is made again where the restore fails, and where it is taken back', async () => {
    await mayNameDefiners('grant')
    const before = await plainDump(on.server, target)
    await using scratch = await scratchOf(asGuest())
    await scratch?.driver.restore(on.backup, { mode: 'create' }, ctx)
    const reader = await mysql2.createConnection(on.server.url(target).replace('mariadb:', 'mysql:'))
    await reader.query(`lock tables ${target}.t read`)
    await expect(scratch?.swap?.({ terminateConnections: false }, ctx)).rejects.toMatchObject({ code: 'target-in-use' })
    await reader.end()
    expect(await plainDump(on.server, target)).toBe(before)
    await scratch?.swap?.({ terminateConnections: false }, ctx)
    expect(await on.server.sql(target, 'select i from t')).toEqual([{ i: 1 }])

    await mayNameDefiners('revoke')
    const restored = await plainDump(on.server, target)
    const [aside] = (await asGuest().asides?.(ctx)) ?? []
    const refused = { code: 'restore-refused', message: expect.stringContaining('in the name of others') }
    await expect(aside?.takeBack?.({ terminateConnections: false }, ctx)).rejects.toMatchObject(refused)
    expect(await plainDump(on.server, target)).toBe(restored)
    await mayNameDefiners('grant')
    await aside?.takeBack?.({ terminateConnections: false }, ctx)
    expect(await plainDump(on.server, target)).toBe(before)
    expect(warnings.filter((said) => said.includes('again: '))).toEqual([])
  })

  it('is not dropped where the server lets nobody be named after all', async () => {
    await mayNameDefiners('grant')
    const before = await plainDump(on.server, target)
    await using scratch = await scratchOf(asGuest())
    await scratch?.driver.restore(on.backup, { mode: 'create' }, ctx)
    await mayNameDefiners('revoke')
    await expect(scratch?.swap?.({ terminateConnections: false }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringMatching(/could not make again.*Access denied/),
    })
    expect(await plainDump(on.server, target)).toBe(before)
    expect((await on.beside()).filter((name) => name.includes('__before_'))).toEqual([])
  })

  it('stays in a restore in place that does not replace it, and refuses one that does', async () => {
    const { problems, warnings: said } = await look('clean')
    expect(problems).toEqual([])
    expect(said).toEqual([expect.stringMatching(/in the name of others.*is refused if the dump holds/)])
    await asGuest().restore(on.backup, { mode: 'clean' }, ctx)
    expect(await on.server.sql(target, 'select i from seven')).toEqual([{ i: 1 }])

    await on.server.sql(target, 'create or replace view v as select 8 as i')
    const before = await plainDump(on.server, target)
    await expect(asGuest().restore(on.backup, { mode: 'clean' }, ctx)).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringContaining('view `v`'),
    })
    expect(await plainDump(on.server, target)).toBe(before)
    expect(await on.beside()).toEqual([])
  })

  it('is nothing that belongs to the user, or to a role that it has', async () => {
    await on.server.sql(target, 'drop view seven', 'drop procedure p', 'drop event rarely')
    if (on.server.isMariadb) {
      const role = `${guest.user}_role`
      await on.server.sql(target, 'drop trigger u_added', `create role ${role}`, `grant ${role} to ${account}`)
      await on.server.sql(
        target,
        `set default role ${role} for ${account}`,
        `create definer = ${role} view r as select 1 as i`,
      )
    }
    await on.server.sql(target, `create definer = ${account} view own as select 1 as i`)
    const before = await plainDump(on.server, target)
    await using scratch = await scratchOf(asGuest())
    await scratch?.driver.restore(on.backup, { mode: 'create' }, ctx)
    await scratch?.swap?.({ terminateConnections: false }, ctx)
    const [aside] = (await asGuest().asides?.(ctx)) ?? []
    await aside?.takeBack?.({ terminateConnections: false }, ctx)
    expect(await plainDump(on.server, target)).toBe(before)
    if (on.server.isMariadb) await on.server.sql(undefined, `drop role ${guest.user}_role`)
  })
})

it('rights for what only the target holds are looked at, too', async () => {
  await mayNameDefiners('grant')
  await on.server.sql(undefined, `revoke create routine, alter routine, event on \`${pattern}\`.* from ${account}`)
  await on.server.sql(undefined, `grant event on \`${pattern}\`.* to ${account}`)
  const message = `The user ${guest.user}@% lacks CREATE ROUTINE, ALTER ROUTINE on \`${target}\``
  expect(await look('staged')).toEqual({
    problems: [{ message, hint: expect.stringContaining('GRANT CREATE ROUTINE, ALTER ROUTINE ON') }],
    warnings: [],
  })
  expect(await look('clean')).toEqual({ problems: [], warnings: [expect.stringContaining(message)] })
  await on.server.sql(undefined, (await look('staged')).problems[0]?.hint ?? '')
  expect(await look('staged')).toEqual({ problems: [], warnings: [] })
})

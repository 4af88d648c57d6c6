import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'

const on = testDatabases('grants', [
  'create table t (i int)',
  'create procedure p() select 1',
  'create function f() returns int deterministic return 1',
])
const { target, driverOf, ctx } = on
const app = `grantee_${process.pid.toString(36)}`

beforeEach(async () => {
  await on.server.createDatabase(target)
  await on.server.sql(
    target,
    ...['create table t (i int)', 'create procedure p() select 2', 'create procedure gone() select 3'],
    'create function f() returns int deterministic return 2',
    ...[`drop user if exists ${app}@'%'`, `create user ${app}@'%' identified by 'app'`],
    ...[`grant select, insert on t to ${app}@'%'`, `grant execute on procedure p to ${app}@'%' with grant option`],
    ...[`grant execute, alter routine on function f to ${app}@'%'`, `grant execute on procedure gone to ${app}@'%'`],
  )
})
afterAll(() => on.server.sql(undefined, `drop user if exists ${app}@'%'`))

async function rights(): Promise<readonly string[]> {
  const rows = await on.server.sql(undefined, `show grants for ${app}@'%'`)
  return rows
    .flatMap((row) => Object.values(row).map(String))
    .filter((grant) => grant.includes(target))
    .sort()
}

describe('rights of others on tables and routines', () => {
  it('stay with the name when the databases change places, and when they do so again', async () => {
    const before = await rights()
    await on.staged()
    expect(await rights()).toEqual(before.filter((grant) => !/\bgone\b/.test(grant)))
    expect(await on.server.sql(target, 'select f() as n')).toEqual([{ n: 1 }])
    const [aside] = (await driverOf(target).asides?.(ctx)) ?? []
    await aside?.takeBack?.({ terminateConnections: false }, ctx)
    expect(await rights()).toEqual(before)
    expect(on.warnings).toEqual([])
  })

  it('stay in a restore in place', async () => {
    const before = await rights()
    await driverOf(target).restore(on.backup, { mode: 'clean' }, ctx)
    expect(await rights()).toEqual(before)
  })

  it('are told of where they cannot be read, or not be given again', async () => {
    const password = 'little'
    await on.server.sql(
      undefined,
      `create user ${app}_maker@'%' identified by '${password}'`,
      `grant all on \`grants\\_%\`.* to ${app}_maker@'%'`,
      `grant ${on.server.isMariadb ? 'select on mysql.proc' : 'show_routine, super, system_user on *.*'} to ${app}_maker@'%'`,
      ...(on.server.isMariadb ? [`grant set user on *.* to ${app}_maker@'%'`] : []),
    )
    const maker = { user: `${app}_maker`, password, definer: 'invoker' }
    await on.staged(maker)
    expect(on.warnings).toContainEqual(expect.stringContaining('SELECT on mysql.procs_priv'))
    await on.server.sql(undefined, `grant select on mysql.procs_priv to ${app}_maker@'%'`)
    await on.server.sql(target, `grant execute on function f to ${app}@'%'`)
    await on.staged(maker)
    expect(on.warnings).toContainEqual(expect.stringMatching(/^Not granted again: grant execute on function .*`f`/))
    await on.server.sql(undefined, `drop user ${app}_maker@'%'`)
  })
})

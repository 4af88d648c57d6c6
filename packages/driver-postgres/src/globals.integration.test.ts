import { chownSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createRunContext, type Driver } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { postgres } from './driver.js'

const ctx = createRunContext()
let source: PostgresServer
let other: PostgresServer

beforeAll(async () => {
  ;[source, other] = await Promise.all([startPostgres(), startPostgres()])
  await source.createDatabase('shop')
})
afterAll(() => Promise.all([source.stop(), other.stop()]))

const on = (server: PostgresServer, database: string): Driver =>
  postgres({ url: server.url(database), binDir: server.binDir, globals: true })

it('a server keeps memberships and rights of the roles that it has', async () => {
  const roles = `create role admins; create role alice; create role "New, Role"`
  await source.sql(
    'postgres',
    `${roles}; create role bob; grant admins to alice, bob with admin option; grant "New, Role" to alice;
     comment on role admins is 'those who may TO do it'; alter role bob set work_mem to '9MB';
     grant set on parameter log_statement to alice, bob; grant alter system on parameter log_min_messages to public`,
  )
  await other.sql('postgres', `create role admins; create role alice; create role carol; grant carol to alice`)
  await source.sql('postgres', 'create role carol; grant carol to alice')
  const state = (): Promise<readonly Record<string, unknown>[]> =>
    other.sql(
      'postgres',
      `select roleid::regrole::text as role, member::regrole::text as member, admin_option as admin
         from pg_auth_members where roleid::regrole::text = any ('{admins,carol,"\\"New, Role\\""}') order by 1, 2`,
    )
  expect(await state()).toEqual([{ role: 'carol', member: 'alice', admin: false }])
  const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
  const report = await on(other, 'kept').restore(backup, { mode: 'create', globals: true, noOwner: true }, ctx)
  expect(await state()).toEqual([
    { role: 'admins', member: 'bob', admin: true },
    { role: 'carol', member: 'alice', admin: false },
  ])
  const lost = report.warnings.filter((warning) => warning.startsWith('Not carried over, for roles'))
  expect(lost.map((warning) => warning.replace(/^.*are: /, '').replace(/ GRANTED.*/, ''))).toEqual([
    'GRANT "New, Role" TO alice',
    'GRANT admins TO alice WITH ADMIN OPTION',
    'GRANT ALTER SYSTEM ON PARAMETER log_min_messages TO PUBLIC;',
    'GRANT SET ON PARAMETER log_statement TO alice;',
  ])
  expect(
    await other.sql(
      'postgres',
      `select r, has_parameter_privilege(r, 'log_statement', 'set') as may
                                   from unnest('{alice,bob}'::text[]) r`,
    ),
  ).toEqual([
    { r: 'alice', may: false },
    { r: 'bob', may: true },
  ])
  expect(await other.sql('postgres', `select shobj_description('admins'::regrole, 'pg_authid') as said`)).toEqual([
    { said: null },
  ])
})

it('a server gets nothing that belongs to a tablespace which it lacks', async () => {
  const directory = join(source.socketDir, 'fast disk')
  mkdirSync(directory)
  const { uid, gid } = statSync(source.socketDir)
  chownSync(directory, uid, gid)
  await source.sql('postgres', `create tablespace fast location '${directory}'`)
  await source.sql(
    'postgres',
    `create role dana; comment on tablespace fast is 'on a disk'; grant create on tablespace fast to dana`,
  )
  const backup = await memoryBackup(on(source, 'shop'), {}, ctx)
  const report = await on(other, 'slow').restore(backup, { mode: 'create', globals: true, noOwner: true }, ctx)
  expect(report.warnings).toContain('The tablespace fast was not made: it needs a directory')
  expect(await other.sql('postgres', `select 1 as x from pg_roles where rolname = 'dana'`)).toEqual([{ x: 1 }])
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'

const on = testDatabases('unseen', [
  'create table t (i int)',
  'create table u (i int, j int)',
  'create view v as select i from t',
  'create trigger t_added before insert on t for each row set new.i = 1',
  'create procedure p() select 1',
  'create event rarely on schedule every 1 year do select 1',
])
const { ctx, source } = on
const guest = { user: `unseen_${process.pid.toString(36)}`, password: 'a guest' }
const account = `${guest.user}@'%'`
const pattern = source.replaceAll('_', '\\_')

const grant = (...rights: readonly string[]): Promise<unknown> =>
  on.server.sql(undefined, ...rights.map((each) => `grant ${each} to ${account}`))
const dump = (options: object = {}, request: object = {}): Promise<MemoryBackup> =>
  memoryBackup(on.driverOf(source, { url: on.server.url(source, guest), ...options }), request, ctx)
const sqlOf = (backup: MemoryBackup): string => backup.bytes.get('sql')?.toString() ?? ''
/** MySQL's program says something of its own of what it may not read. */
const saidOf = ({ manifest }: MemoryBackup): readonly string[] =>
  (manifest.warnings ?? []).filter((each) => each.startsWith('The user '))
const unreadable = async (): Promise<readonly string[] | undefined> =>
  (await on.driverOf(source, { url: on.server.url(source, guest) }).probe(ctx)).database?.unreadable
const routineRight = (): string => (on.server.isMariadb ? 'select on mysql.proc' : 'show_routine on *.*')

beforeEach(async () => {
  await on.server.sql(
    undefined,
    `drop user if exists ${account}`,
    `create user ${account} identified by '${guest.password}'`,
  )
  await grant(`select, show view, event on \`${pattern}\`.*`)
})
afterAll(() => on.server.sql(undefined, `drop user if exists ${account}`))

describe('a dump by a user from whom the server hides', () => {
  it('triggers and routines says so, with what to do', async () => {
    const backup = await dump()
    expect(sqlOf(backup)).not.toMatch(/TRIGGER|PROCEDURE/i)
    const [triggers = '', routines = '', ...more] = saidOf(backup)
    expect(triggers).toContain(`The user ${guest.user}@% lacks TRIGGER on \`${source}\``)
    expect(routines).toContain(
      `The user ${guest.user}@% lacks ${on.server.isMariadb ? 'SELECT on mysql.proc' : 'SHOW_ROUTINE'}`,
    )
    expect(more).toEqual([])
    for (const said of [triggers, routines]) {
      await on.server.sql(undefined, /GRANT .*?;/.exec(said)?.[0] ?? '')
    }
    const whole = await dump()
    expect(saidOf(whole)).toEqual([])
    expect(sqlOf(whole)).toMatch(/TRIGGER[^;]*t_added/i)
    expect(sqlOf(whole)).toContain('PROCEDURE `p`')
  })

  it('triggers of some tables names those', async () => {
    await grant(`trigger on ${source}.t`, routineRight())
    expect(saidOf(await dump())).toEqual([expect.stringContaining('lacks TRIGGER on `u`, ')])
    expect(saidOf(await dump({}, { tables: ['t'] }))).toEqual([])
    await grant(`trigger on ${source}.u`)
    expect(saidOf(await dump())).toEqual([])
  })

  it('what is not wanted says nothing', async () => {
    expect(saidOf(await dump({ triggers: false, routines: false }))).toEqual([])
    expect(saidOf(await dump({}, { sections: 'data' }))).toEqual([])
    expect(saidOf(await dump({}, { tables: ['t'] }))).toEqual([expect.stringContaining('TRIGGER')])
    expect(saidOf(await dump({}, { tables: ['v'] }))).toEqual([])
  })

  it('the text of routines alone fails, as it always did', async () => {
    await grant(`trigger, execute on \`${pattern}\`.*`)
    await expect(dump()).rejects.toMatchObject({ message: expect.stringContaining('insufficient privileges') })
  })
})

describe('a dump by a user who may read only some tables', () => {
  beforeEach(async () => {
    await on.server.sql(undefined, `drop user ${account}`, `create user ${account} identified by '${guest.password}'`)
    await grant(`event on \`${pattern}\`.*`, `select on ${source}.t`, routineRight())
  })
  const wanted = { triggers: false }

  it('says so, for nobody can tell whether there are others, and what to do', async () => {
    const backup = await dump(wanted)
    expect(sqlOf(backup)).toContain('`t`')
    expect(sqlOf(backup)).not.toContain('`u`')
    const [said = '', ...more] = saidOf(backup)
    expect(said).toContain(`The user ${guest.user}@% lacks SELECT on \`${source}\` as a whole`)
    expect(more).toEqual([])
    expect(saidOf(await dump(wanted, { sections: 'data' }))).toEqual([said])
    expect(saidOf(await dump(wanted, { tables: ['t'] }))).toEqual([])
    await on.server.sql(undefined, /GRANT .*?;/.exec(said)?.[0] ?? '')
    await grant(`show view on \`${pattern}\`.*`)
    const whole = await dump(wanted)
    expect(saidOf(whole)).toEqual([])
    expect(sqlOf(whole)).toContain('`u`')
  })

  it('is refused where it sees the others', async () => {
    await grant(`show view on \`${pattern}\`.*`)
    expect(await unreadable()).toEqual([`${source}.u`])
    await grant(`select on ${source}.u`, `select on ${source}.v`)
    expect(await unreadable()).toEqual([])
    expect(saidOf(await dump(wanted))).toEqual([])
  })

  it('is refused where it may read only some columns of one', async () => {
    await grant(`select (i) on ${source}.u`)
    expect(await unreadable()).toEqual([`${source}.u`])
    await grant(`select (j) on ${source}.u`)
    expect(await unreadable()).toEqual([])
  })
})

describe('nothing is said to a user who has the rights', () => {
  it('on the whole server', async () => {
    await grant('select, trigger on *.*')
    const backup = await dump()
    expect(saidOf(backup)).toEqual([])
    expect(sqlOf(backup)).toContain('PROCEDURE `p`')
  })

  it('by what the README says, and its dump holds everything', async () => {
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
    const [, block = ''] = /```sql\n([\s\S]*?)```/.exec(readme) ?? []
    const other = on.server.isMariadb ? '-- MySQL' : '-- MariaDB'
    const statements = block.split('\n').filter((line) => line !== '' && !line.endsWith(other))
    expect(statements).toHaveLength(2)
    await on.server.sql(undefined, `drop user ${account}`, `create user ${account} identified by '${guest.password}'`)
    for (const line of statements) {
      await on.server.sql(
        undefined,
        line.replace(/;.*/, '').replace('`shop`', `\`${pattern}\``).replace("'backup'@'%'", account),
      )
    }
    const backup = await dump()
    expect(saidOf(backup)).toEqual([])
    for (const part of ['`t`', '`u`', 'VIEW `v`', 't_added', 'PROCEDURE `p`', 'EVENT `rarely`']) {
      expect(sqlOf(backup)).toContain(part)
    }
  })

  it('by a role', async () => {
    const role = `${guest.user}_role`
    await on.server.sql(undefined, `create role ${role}`, `grant trigger on \`${pattern}\`.* to ${role}`)
    await on.server.sql(undefined, `grant ${routineRight()} to ${role}`, `grant ${role} to ${account}`)
    const forIt = on.server.isMariadb ? `for ${account}` : `to ${account}`
    await on.server.sql(undefined, `set default role ${role} ${forIt}`)
    const backup = await dump()
    await on.server.sql(undefined, `drop role ${role}`)
    expect(saidOf(backup)).toEqual([])
    expect(sqlOf(backup)).toMatch(/TRIGGER[^;]*t_added[\s\S]*PROCEDURE `p`/i)
  })
})

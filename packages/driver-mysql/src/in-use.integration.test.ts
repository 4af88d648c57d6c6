import type { Driver, ScratchDatabase } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import mysql2 from 'mysql2/promise'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { startStatementProxy } from '../test/statement-proxy.js'
import { plainDump } from '../test/support.js'

const on = testDatabases('in_use', ['create table t (i int)', 'create table u (i int)', 'insert into t values (1)'])
const { ctx, source, target, warnings } = on
const readers: mysql2.Connection[] = []
let before: string
let after: string

const hasty = (options: object = {}): Driver => on.driverOf(target, { lockTimeout: '1s', ...options })

/** Somebody who uses the target. */
async function reader(...statements: readonly string[]): Promise<mysql2.Connection> {
  const connection = await mysql2.createConnection(on.server.url(target).replace('mariadb:', 'mysql:'))
  connection.on('error', () => {})
  readers.push(connection)
  for (const statement of statements) await connection.query(statement)
  return connection
}

async function filledBeside(driver: Driver): Promise<ScratchDatabase> {
  const scratch = await driver.scratch?.({ manifest: on.backup.manifest, toSwap: true }, ctx)
  if (!scratch?.swap) throw new Error('no swap')
  await scratch.driver.restore(on.backup, { mode: 'create' }, ctx)
  return scratch
}

const waiting = (statement: string) => async (): Promise<boolean> => {
  const sql = `select info from information_schema.processlist where state like '%metadata%' and info like '${statement}%'`
  return (await on.server.sql(undefined, sql)).length > 0
}

beforeAll(async () => {
  after = await plainDump(on.server, source)
})
beforeEach(async () => {
  await on.server.createDatabase(target)
  await on.server.sql(
    target,
    ...['create table t (i int)', 'create table u (i int)', 'create view v as select * from t'],
    'create trigger t_added before insert on t for each row set new.i = 7',
  )
  before = await plainDump(on.server, target)
})
afterEach(async () => {
  for (const each of readers.splice(0)) await each.end().catch(() => {})
})

describe('a table that somebody uses', () => {
  it('is free for a restore that may end connections, its triggers too', async () => {
    await reader('start transaction', 'select * from t')
    await using scratch = await filledBeside(hasty())
    await scratch.swap?.({ terminateConnections: true }, ctx)
    expect(await plainDump(on.server, target)).toBe(after)
  })

  it('and whose trigger cannot be dropped therefore keeps that', async () => {
    const user = await reader('start transaction', 'select * from t')
    await using scratch = await filledBeside(hasty())
    await expect(scratch.swap?.({ terminateConnections: false }, ctx)).rejects.toMatchObject({ code: 'target-in-use' })
    await user.end()
    expect(await plainDump(on.server, target)).toBe(before)
    expect(warnings).toEqual([])
    expect((await on.beside()).filter((name) => name.includes('__before_'))).toEqual([])
  })

  it('when its trigger is to be made again gets it from the next command', async () => {
    await reader('lock tables u read')
    await using scratch = await filledBeside(hasty({ lockTimeout: '2s' }))
    const swapping = scratch.swap?.({ terminateConnections: false }, ctx)
    swapping?.catch(() => {})
    await vi.waitUntil(waiting('rename table'), { interval: 5, timeout: 20_000 })
    await reader('lock tables t read') // as soon as the renaming is given up
    await expect(swapping).rejects.toMatchObject({
      code: 'target-in-use',
      hint: expect.stringContaining('next restore, undo or cleanup'),
    })
    await expect(hasty().asides?.(ctx)).rejects.toMatchObject({ code: 'target-in-use' })
    for (const each of readers.splice(0)) await each.end()
    expect(await hasty().asides?.(ctx)).toEqual([])
    expect(await plainDump(on.server, target)).toBe(before)
    expect(warnings).toEqual([expect.stringContaining('it was undone now')])
  })

  it('keeps what was interrupted from being settled for so long as lockTimeout says, and nobody waits longer', async () => {
    await using proxy = await startStatementProxy(on.server.port)
    await on.server.sql(source, 'create trigger t_added before insert on t for each row set new.i = 8')
    const backup = await plainDump(on.server, source)
    const from = await memoryBackup(on.driverOf(source), {}, ctx)
    const scratch = await hasty({ port: proxy.port }).scratch?.({ manifest: from.manifest, toSwap: true }, ctx)
    await scratch?.driver.restore(from, { mode: 'create' }, ctx)
    proxy.cutAt(/rename table/, 'after', 'closed')
    await expect(scratch?.swap?.({ terminateConnections: false }, ctx)).rejects.toThrow()
    await scratch?.[Symbol.asyncDispose]()
    const user = await reader('start transaction', 'select * from t')
    await expect(hasty().asides?.(ctx)).rejects.toMatchObject({ code: 'target-in-use' })
    await user.end()
    await hasty().asides?.(ctx)
    expect([before, backup]).toContain(await plainDump(on.server, target))
    await on.server.sql(source, 'drop trigger t_added')
  })
})

import { createRunContext, type Driver } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type MysqlServer, startMariadb } from '@holdfast/test-support'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startStatementProxy } from '../test/statement-proxy.js'
import { databasesOf, dropDatabases, plainDump } from '../test/support.js'
import { mysql } from './driver.js'

const ctx = createRunContext()
const own = process.pid.toString(36)
const source = `truth_source_${own}`
const target = `truth_target_${own}`
let server: MysqlServer
let backup: MemoryBackup

const driverOf = (database: string, port = server.port): Driver =>
  mysql({
    ...(server.binDir ? { binDir: server.binDir } : {}),
    url: server.url(database).replace(`:${server.port}/`, `:${port}/`),
    sslmode: 'disable',
  })

beforeAll(async () => {
  server = await startMariadb()
  await server.createDatabase(source)
  await server.sql(
    source,
    'create table parent (id int primary key)',
    'create table fresh (id int)',
    'insert into parent values (1), (2)',
    'insert into fresh values (1)',
    'create view parents as select * from parent',
    'create event rarely on schedule every 1 year do select 1',
  )
  backup = await memoryBackup(driverOf(source), {}, ctx)
})
afterEach(() => dropDatabases(server, target))
afterAll(async () => {
  await dropDatabases(server, source)
  await server.stop()
})

async function fillTarget(): Promise<string> {
  await server.createDatabase(target)
  await server.sql(
    target,
    'create table parent (id int primary key)',
    'insert into parent values (9)',
    'create view parents as select 1 as id from parent',
    'create table of_its_own (id int)',
  )
  return await plainDump(server, target)
}

const beside = async (): Promise<readonly string[]> =>
  (await databasesOf(server)).filter((name) => name.startsWith(`${target}__`))

/** Where a swap can lose its connection, in order; from the renaming on it is done in the end. */
const swapPoints: readonly (readonly [statement: RegExp, when: 'before' | 'after', isDone: boolean])[] = [
  [/create table .*__holdfast_journal/, 'before', false],
  [/create table .*__holdfast_journal/, 'after', false],
  [/insert into .*__holdfast_journal/, 'before', false],
  [/insert into .*__holdfast_journal/, 'after', false],
  [/rename table/, 'before', false],
  [/rename table/, 'after', true],
  [/CREATE .*VIEW/, 'after', true],
  [/select 'done /, 'before', true],
  [/select 'done /, 'after', true],
  [/__holdfast_filling/, 'after', true],
]

describe('a swap whose connection breaks', () => {
  it.each(swapPoints)('at %s, %s the server has done it, tells what became of it', async (statement, when, isDone) => {
    const before = await fillTarget()
    await using proxy = await startStatementProxy(server.port)
    const scratch = await driverOf(target, proxy.port).scratch?.({ manifest: backup.manifest, toSwap: true }, ctx)
    if (!scratch?.swap) throw new Error('no swap')
    await scratch.driver.restore(backup, { mode: 'create' }, ctx)
    proxy.cutAt(statement, when)
    const swapping = scratch.swap({ terminateConnections: false }, ctx)
    if (isDone) {
      const { oldName = '' } = await swapping
      expect(await databasesOf(server)).toContain(oldName)
      expect(await server.sql(target, 'select id from parents')).toEqual([{ id: 1 }, { id: 2 }])
    } else {
      await expect(swapping).rejects.toMatchObject({ code: 'source-unreachable' })
      expect(await plainDump(server, target)).toBe(before)
    }
    await scratch[Symbol.asyncDispose]()
    expect(proxy.hasCut).toBe(true)
    expect(await beside()).toHaveLength(isDone ? 1 : 0)
  })
})

/** Those of an append: it is done when its rows are. */
const appendPoints: readonly (readonly [statement: RegExp, when: 'before' | 'after', isDone: boolean])[] = [
  [/rename table/, 'after', false],
  [/insert into `truth_target.*select/, 'after', false],
  [/state = 'added'/, 'after', false],
  [/commit/, 'before', false],
  [/commit/, 'after', true],
  [/CREATE .*EVENT .* ENABLE/, 'before', true],
  [/select 'done /, 'before', true],
]

describe('an append whose connection breaks', () => {
  it.each(appendPoints)(
    'at %s, %s the server has done it, is done or undone as it says',
    async (statement, when, isDone) => {
      const before = await fillTarget()
      await using proxy = await startStatementProxy(server.port)
      const appending = driverOf(target, proxy.port).restore(
        {
          ...backup,
          async *open(part, partCtx) {
            yield* backup.open(part, partCtx)
            proxy.cutAt(statement, when)
          },
        },
        { mode: 'append' },
        ctx,
      )
      if (isDone) {
        await appending
        expect(await server.sql(target, 'select id from parent')).toEqual([{ id: 1 }, { id: 2 }, { id: 9 }])
        expect(await server.sql(target, 'select id from fresh')).toEqual([{ id: 1 }])
        const [event] = await server.sql<{ status: string }>(
          undefined,
          `select status as status from information_schema.events where event_schema = '${target}'`,
        )
        expect(event?.status).toMatch(/^ENABLED$/i)
      } else {
        await expect(appending).rejects.toMatchObject({ code: 'source-unreachable' })
        expect(await plainDump(server, target)).toBe(before)
      }
      expect(proxy.hasCut).toBe(true)
      expect(await beside()).toEqual([])
    },
  )
})

it('a swap that cannot be looked at any more says that it does not know', async () => {
  await fillTarget()
  await using proxy = await startStatementProxy(server.port)
  const scratch = await driverOf(target, proxy.port).scratch?.({ manifest: backup.manifest, toSwap: true }, ctx)
  if (!scratch?.swap) throw new Error('no swap')
  await scratch.driver.restore(backup, { mode: 'create' }, ctx)
  proxy.cutAt(/rename table/, 'after', 'closed')
  await expect(scratch.swap({ terminateConnections: false }, ctx)).rejects.toMatchObject({
    code: 'source-unreachable',
    message: expect.stringContaining('is not known'),
    hint: expect.stringContaining('cleanup'),
  })
  await scratch[Symbol.asyncDispose]()
  await driverOf(target).asides?.(ctx)
  expect(await server.sql(target, 'select id from parents')).toEqual([{ id: 1 }, { id: 2 }])
})

import { describe, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { startStatementProxy } from '../test/statement-proxy.js'
import { databasesOf, plainDump } from '../test/support.js'

const on = testDatabases('truth', [
  'create table parent (id int primary key)',
  'create table fresh (id int)',
  'insert into parent values (1), (2)',
  'insert into fresh values (1)',
  'create view parents as select * from parent',
  'create event rarely on schedule every 1 year do select 1',
])
const { ctx, target, driverOf, beside } = on

async function fillTarget(): Promise<string> {
  await on.server.createDatabase(target)
  await on.server.sql(
    target,
    'create table parent (id int primary key)',
    'insert into parent values (9)',
    'create view parents as select 1 as id from parent',
    'create table of_its_own (id int)',
  )
  return await plainDump(on.server, target)
}

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
    await using proxy = await startStatementProxy(on.server.port)
    const scratch = await driverOf(target, { port: proxy.port }).scratch?.(
      { manifest: on.backup.manifest, toSwap: true },
      ctx,
    )
    if (!scratch?.swap) throw new Error('no swap')
    await scratch.driver.restore(on.backup, { mode: 'create' }, ctx)
    proxy.cutAt(statement, when)
    const swapping = scratch.swap({ terminateConnections: false }, ctx)
    if (isDone) {
      const { oldName = '' } = await swapping
      expect(await databasesOf(on.server)).toContain(oldName)
      expect(await on.server.sql(target, 'select id from parents')).toEqual([{ id: 1 }, { id: 2 }])
    } else {
      await expect(swapping).rejects.toMatchObject({ code: 'source-unreachable' })
      expect(await plainDump(on.server, target)).toBe(before)
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
      await using proxy = await startStatementProxy(on.server.port)
      const appending = driverOf(target, { port: proxy.port }).restore(
        {
          ...on.backup,
          async *open(part, partCtx) {
            yield* on.backup.open(part, partCtx)
            proxy.cutAt(statement, when)
          },
        },
        { mode: 'append' },
        ctx,
      )
      if (isDone) {
        await appending
        expect(await on.server.sql(target, 'select id from parent')).toEqual([{ id: 1 }, { id: 2 }, { id: 9 }])
        expect(await on.server.sql(target, 'select id from fresh')).toEqual([{ id: 1 }])
        const [event] = await on.server.sql<{ status: string }>(
          undefined,
          `select status as status from information_schema.events where event_schema = '${target}'`,
        )
        expect(event?.status).toMatch(/^ENABLED$/i)
      } else {
        await expect(appending).rejects.toMatchObject({ code: 'source-unreachable' })
        expect(await plainDump(on.server, target)).toBe(before)
      }
      expect(proxy.hasCut).toBe(true)
      expect(await beside()).toEqual([])
    },
  )
})

it('a swap that cannot be looked at any more says that it does not know', async () => {
  await fillTarget()
  await using proxy = await startStatementProxy(on.server.port)
  const scratch = await driverOf(target, { port: proxy.port }).scratch?.(
    { manifest: on.backup.manifest, toSwap: true },
    ctx,
  )
  if (!scratch?.swap) throw new Error('no swap')
  await scratch.driver.restore(on.backup, { mode: 'create' }, ctx)
  proxy.cutAt(/rename table/, 'after', 'closed')
  await expect(scratch.swap({ terminateConnections: false }, ctx)).rejects.toMatchObject({
    code: 'source-unreachable',
    message: expect.stringContaining('is not known'),
    hint: expect.stringContaining('cleanup'),
  })
  await scratch[Symbol.asyncDispose]()
  await driverOf(target).asides?.(ctx)
  expect(await on.server.sql(target, 'select id from parents')).toEqual([{ id: 1 }, { id: 2 }])
})

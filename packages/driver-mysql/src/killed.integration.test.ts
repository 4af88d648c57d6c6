import { readFileSync } from 'node:fs'
import { isBackupError } from '@holdfast/core'
import { childProcesses, damagedBackup, type MemoryBackup, memoryBackup, seededRandom } from '@holdfast/core/testing'
import { nastyMysqlDatabase } from '@holdfast/test-support'
import { describe, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { startStatementProxy } from '../test/statement-proxy.js'
import { databasesOf, dropDatabases, plainDump } from '../test/support.js'

const on = testDatabases('killed', (server) => nastyMysqlDatabase(server.isMariadb))
const { ctx, target, driverOf } = on

/** A database that shares names with the source, and has some of its own. */
async function fillTarget(): Promise<string> {
  await on.server.createDatabase(target)
  await on.server.sql(
    target,
    'create table parent (id int primary key, v varchar(20))',
    `insert into parent values (1, 'only here')`,
    'create table child (id int primary key, parent_id int, constraint child_to_parent foreign key (parent_id) references parent (id))',
    'insert into child values (7, 1)',
    'create table of_its_own (id int, parent_id int, constraint own_key foreign key (parent_id) references parent (id))',
    'create view parents as select * from parent',
    'create view of_its_own_view as select * from parents',
    'create trigger parent_changed before update on parent for each row set new.v = 1',
    'create event nightly on schedule every 1 year starts "2020-01-01" do select 1',
    'create procedure shout() select 2',
  )
  return await plainDump(on.server, target)
}

describe('a restore whose client is killed, or whose data are damaged, at a random point', () => {
  const random = seededRandom(42)
  const points = Array.from({ length: 30 }, () => random())

  it.each(['create', 'clean', 'append'] as const)('%s leaves the target as before, or as after', async (mode) => {
    const before = mode === 'create' ? undefined : await fillTarget()
    const now = async (): Promise<string | undefined> =>
      (await databasesOf(on.server)).includes(target) ? await plainDump(on.server, target) : undefined
    const outcomes = { failed: 0, restored: 0 }
    for (const [index, point] of points.entries()) {
      const from = index % 2 === 0 ? damagedBackup(on.backup, point) : killing(point)
      const error = await driverOf(target)
        .restore(from, { mode }, ctx)
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
      if (error === undefined) {
        outcomes.restored++
        await dropDatabases(on.server, target)
        if (mode !== 'create') await fillTarget()
        continue
      }
      outcomes.failed++
      expect(isBackupError(error)).toBe(true)
      expect(await now(), `after ${point} of the bytes`).toBe(before)
      expect((await databasesOf(on.server)).filter((name) => name.startsWith(`${target}__`))).toEqual([])
    }
    expect(outcomes.failed).toBeGreaterThanOrEqual(15)
  })

  /** The dump, and SIGKILL for every program of this process when so much of it has been read. */
  function killing(share: number): MemoryBackup {
    return {
      ...on.backup,
      async *open(part, partCtx) {
        let read = 0
        const total = on.backup.bytes.get(part)?.length ?? 0
        for await (const chunk of on.backup.open(part, partCtx)) {
          for (let at = 0; at < chunk.length; at += 4_096) {
            const piece = chunk.subarray(at, at + 4_096)
            read += piece.length
            yield piece
            if (read >= total * share) {
              for (const pid of await childProcesses()) if (isClient(pid)) kill(pid)
            }
          }
        }
      },
    }
  }
})

describe('a swap that loses the server', () => {
  it('at any statement is finished or undone by the next command', async () => {
    const outcomes = { before: 0, after: 0 }
    const small = await smallBackup()
    for (let statements = 1; ; statements++) {
      const before = await fillTarget()
      await using proxy = await startStatementProxy(on.server.port)
      const scratch = await driverOf(target, { port: proxy.port }).scratch?.(
        { manifest: small.backup.manifest, toSwap: true },
        ctx,
      )
      if (!scratch?.swap) throw new Error('no swap')
      await scratch.driver.restore(small.backup, { mode: 'create' }, ctx)
      proxy.cutAfter(statements)
      const whole = await scratch.swap({ terminateConnections: false }, ctx).then(
        () => true,
        () => false,
      )
      await scratch[Symbol.asyncDispose]()
      const asides = (await driverOf(target).asides?.(ctx)) ?? []
      const replaced = asides.filter(({ kind }) => kind === 'replaced')
      const now = await plainDump(on.server, target)
      if (now === before) outcomes.before++
      else {
        expect(now, `cut after ${statements} statements`).toBe(small.after)
        outcomes.after++
      }
      expect(replaced.length, `cut after ${statements} statements`).toBe(now === before ? 0 : 1)
      await dropDatabases(on.server, target)
      if (whole) break
    }
    expect(outcomes.before).toBeGreaterThan(10)
    expect(outcomes.after).toBeGreaterThan(10)
  }, 600_000)

  /** With one of each kind: every statement of the swap costs the test a restore. */
  async function smallBackup(): Promise<{ readonly backup: MemoryBackup; readonly after: string }> {
    const name = `${target}_small`
    await on.server.createDatabase(name)
    await on.server.sql(
      name,
      'create table parent (id int primary key)',
      'create table child (id int, parent_id int, constraint child_to_parent foreign key (parent_id) references parent (id))',
      'insert into parent values (1)',
      'insert into child values (1, 1)',
      'create view parents as select * from parent',
      'create trigger child_added before insert on child for each row set new.id = 1',
      'create procedure shout() select 1',
    )
    const small = { backup: await memoryBackup(driverOf(name), {}, ctx), after: await plainDump(on.server, name) }
    await on.server.sql(undefined, `drop database ${name}`)
    return small
  }
})

describe('a database of somebody else', () => {
  it('is not cleaned up, whatever it is called', async () => {
    await on.server.createDatabase(target)
    const [table, code, bare] = ['holdfast_00000001', 'before_00000001', 'holdfast_00000002'].map(
      (end) => `${target}__${end}`,
    )
    for (const name of [table, code, bare]) await on.server.createDatabase(name ?? '')
    await on.server.sql(table, 'create table mine as select 1 as x')
    await on.server.sql(code, 'create procedure mine() select 1')
    // Bare, as a restore leaves it that is killed a moment after it has made it.
    expect((await driverOf(target).asides?.(ctx))?.map(({ name }) => name)).toEqual([bare])
    expect(await databasesOf(on.server)).toEqual(expect.arrayContaining([table, code]))
  })

  it('is not cleaned up where both names are cut to the same', async () => {
    const [one, two] = ['x', 'y'].map((end) => target.padEnd(63, '_') + end)
    for (const name of [one, two]) await on.server.createDatabase(name ?? '')
    const scratch = `${target.padEnd(45, '_')}__holdfast_00000001`
    await on.server.createDatabase(scratch)
    await on.server.sql(
      scratch,
      `create table __holdfast_scratch (i int) comment = '${one}'`,
      'create table half (i int)',
    )
    const names = async (name = ''): Promise<readonly string[]> =>
      ((await driverOf(name).asides?.(ctx)) ?? []).map((aside) => aside.name)
    expect([await names(one), await names(two)]).toEqual([[scratch], []])
  })
})

/** The server of the test is a child of this process, too. */
function isClient(pid: number): boolean {
  try {
    return /^(mariadb|mysql)$/.test(readFileSync(`/proc/${pid}/comm`, 'utf8').trim())
  } catch {
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended already
  }
}

import { startTcpProxy } from '@holdfast/test-support'
import { beforeAll, expect, it } from 'vitest'
import { testDatabases } from '../test/databases.js'
import { dropDatabases, plainDump } from '../test/support.js'

let after: string

const on = testDatabases('lost', [
  'create table parent (id int primary key)',
  'create table fresh (id int)',
  'insert into parent values (1)',
  'create view parents as select * from parent',
  'create trigger parent_added before insert on parent for each row set new.id = 1',
])
const { ctx, source, target, driverOf } = on

beforeAll(async () => {
  after = await plainDump(on.server, source)
})

async function fillTarget(): Promise<string> {
  await on.server.createDatabase(target)
  await on.server.sql(
    target,
    'create table parent (id int primary key, v varchar(20))',
    'create table of_its_own (id int)',
    'create view parents as select v from parent',
    'create trigger parent_changed before update on parent for each row set new.v = 1',
  )
  return await plainDump(on.server, target)
}

it('a swap whose connection breaks is finished or undone over another one, and says which', async () => {
  const outcomes = { before: 0, after: 0 }
  for (let bytes = 100; ; bytes += 450) {
    const before = await fillTarget()
    const proxy = await startTcpProxy(on.server.port)
    const scratch = await driverOf(target, { port: proxy.port }).scratch?.(
      { manifest: on.backup.manifest, toSwap: true },
      ctx,
    )
    if (!scratch?.swap) throw new Error('no swap')
    await scratch.driver.restore(on.backup, { mode: 'create' }, ctx)
    let isCut = false
    void proxy.cutAfter(bytes).then(() => {
      isCut = true
    })
    const whole = await scratch.swap({ terminateConnections: false }, ctx).then(
      () => true,
      () => false,
    )
    await scratch[Symbol.asyncDispose]()
    await proxy.stop()
    await driverOf(target).asides?.(ctx)
    const now = await plainDump(on.server, target)
    if (now === before) outcomes.before++
    else {
      expect(now, `cut after ${bytes} bytes`).toBe(after)
      outcomes.after++
    }
    // What the swap said is what has happened, whether it was lost sight of or not.
    expect(whole, `cut after ${bytes} bytes`).toBe(now === after)
    await dropDatabases(on.server, target)
    if (!isCut) break
  }
  expect(outcomes.before).toBeGreaterThan(3)
  expect(outcomes.after).toBeGreaterThan(1)
}, 300_000)

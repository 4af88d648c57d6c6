import { createRunContext, type Driver } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type MysqlServer, startMariadb, startTcpProxy } from '@holdfast/test-support'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dropDatabases, plainDump } from '../test/support.js'
import { mysql } from './driver.js'

const ctx = createRunContext()
const own = process.pid.toString(36)
const source = `lost_source_${own}`
const target = `lost_target_${own}`
let server: MysqlServer
let backup: MemoryBackup
let after: string

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
    'insert into parent values (1)',
    'create view parents as select * from parent',
    'create trigger parent_added before insert on parent for each row set new.id = 1',
  )
  backup = await memoryBackup(driverOf(source), {}, ctx)
  after = await plainDump(server, source)
})
afterAll(async () => {
  await dropDatabases(server, source)
  await server.stop()
})

async function fillTarget(): Promise<string> {
  await server.createDatabase(target)
  await server.sql(
    target,
    'create table parent (id int primary key, v varchar(20))',
    'create table of_its_own (id int)',
    'create view parents as select v from parent',
    'create trigger parent_changed before update on parent for each row set new.v = 1',
  )
  return await plainDump(server, target)
}

it('a swap whose connection breaks is finished or undone over another one, and says which', async () => {
  const outcomes = { before: 0, after: 0 }
  for (let bytes = 100; ; bytes += 450) {
    const before = await fillTarget()
    const proxy = await startTcpProxy(server.port)
    const scratch = await driverOf(target, proxy.port).scratch?.({ manifest: backup.manifest, toSwap: true }, ctx)
    if (!scratch?.swap) throw new Error('no swap')
    await scratch.driver.restore(backup, { mode: 'create' }, ctx)
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
    const now = await plainDump(server, target)
    if (now === before) outcomes.before++
    else {
      expect(now, `cut after ${bytes} bytes`).toBe(after)
      outcomes.after++
    }
    // What the swap said is what has happened, whether it was lost sight of or not.
    expect(whole, `cut after ${bytes} bytes`).toBe(now === after)
    await dropDatabases(server, target)
    if (!isCut) break
  }
  expect(outcomes.before).toBeGreaterThan(3)
  expect(outcomes.after).toBeGreaterThan(1)
}, 300_000)

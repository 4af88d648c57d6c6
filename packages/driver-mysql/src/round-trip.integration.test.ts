import { createRunContext, type Driver, type DumpSection } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type MysqlServer, nastyMysqlDatabase, quoteMysqlName, startMariadb } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dropDatabases, plainDump } from '../test/support.js'
import { mysql } from './driver.js'

const ctx = createRunContext()
const own = process.pid.toString(36)
const source = `--sou\`rce; 'ü' ${own}`
let server: MysqlServer
let original: string
let backup: MemoryBackup

const driverOf = (database: string, options: object = {}): Driver =>
  mysql({ url: server.url(database), ...(server.binDir ? { binDir: server.binDir } : {}), ...options })

beforeAll(async () => {
  server = await startMariadb()
  await server.sql(undefined, `create database ${quoteMysqlName(source)} character set latin1`)
  await server.sql(source, ...nastyMysqlDatabase(server.isMariadb).filter((sql) => !/^create event/.test(sql)))
  await server.sql(
    source,
    `set session sql_mode = 'ALLOW_INVALID_DATES'`,
    `insert into dates (d, dt) values ('2021-02-31', '2021-04-31 01:02:03')`,
  )
  original = await plainDump(server, source)
  backup = await memoryBackup(driverOf(source), { inventory: 'checksums' }, ctx)
})
afterAll(async () => {
  await dropDatabases(server, own)
  await server.stop()
})

describe('a dump', () => {
  it('is restored into a new database, which then equals the source', async () => {
    const report = await driverOf(`new ${own}`).restore(backup, { mode: 'create' }, ctx)
    expect(report).toMatchObject({ created: true, warnings: [] })
    expect(await plainDump(server, `new ${own}`)).toBe(original)
  })
})

describe('sections', () => {
  const part = { name: 'sql', mediaType: 'application/sql', trailer: '-- Dump completed' }
  const sectionsOf = (of: MemoryBackup): Promise<readonly DumpSection[]> =>
    driverOf('none').sections?.(part, of.open('sql', ctx), ctx) ?? Promise.reject(new Error('no sections'))

  it('are equal for a restored scratch, whatever it is called, and name everything', async () => {
    const events = `events ${own}`
    await server.createDatabase(events)
    await server.sql(events, ...nastyMysqlDatabase(server.isMariadb))
    const whole = await memoryBackup(driverOf(events), {}, ctx)
    const scratch = await driverOf(events).scratch?.({ manifest: whole.manifest, toSwap: false }, ctx)
    if (!scratch) throw new Error('no scratch')
    await scratch.driver.restore(whole, { mode: 'create' }, ctx)
    const again = await memoryBackup(scratch.driver, {}, ctx)
    await scratch[Symbol.asyncDispose]()
    const expected = await sectionsOf(whole)
    expect(await sectionsOf(again)).toEqual(expected)
    const names = expected.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of [
      'table parent',
      'rows of parent',
      'rows of empty_one',
      'view a_view_of_views',
      'definer of view a_view_of_views',
      'trigger child_added_too',
      'procedure odd;proc',
      'function doubled',
      'event nightly',
      'rows of odd `name`; -- \n"x" ü☃',
      ...(server.isMariadb ? ['sequence numbers_seq', 'rows of versioned'] : []),
    ]) {
      expect(names).toContain(name)
    }
  })

  it('tell which table, view or row differs', async () => {
    const changed = `changed ${own}`
    await driverOf(changed).restore(backup, { mode: 'create' }, ctx)
    await server.sql(
      changed,
      `update texts set t = concat(t, ' ') where id = 3`,
      'alter table counted comment = "new"',
      'create or replace view parents as select id, v from parent where id > 1',
      'delete from no_key where b is null',
    )
    const [before, after] = [await sectionsOf(backup), await sectionsOf(await memoryBackup(driverOf(changed), {}, ctx))]
    const differing = after.filter(({ name, sha256 }) => before.find((one) => one.name === name)?.sha256 !== sha256)
    expect(differing.map(({ name }) => name).sort()).toEqual([
      'rows of no_key',
      'rows of texts',
      'table counted',
      'view parents',
    ])
  })

  it('gives the rows of a table as they stand in the dump', async () => {
    const rows: string[] = []
    const stream = driverOf('none').rows?.(part, backup.open('sql', ctx), 'rows of parent', ctx) ?? []
    for await (const row of stream) rows.push(Buffer.from(row).toString())
    // In the order in which the server reads them: here that of an index over both columns.
    expect(rows.sort()).toEqual(["0,'zero'", "1,'one'", "2,'two'", "5,'five'"])
  })
})

import { createRunContext, type Driver } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { type MysqlServer, nastyMysqlDatabase, quoteMysqlName, startMariadb } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databasesOf, plainDump } from '../test/support.js'
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
  original = await plainDump(server, source)
  backup = await memoryBackup(driverOf(source), { inventory: 'checksums' }, ctx)
})
afterAll(async () => {
  for (const name of await databasesOf(server)) {
    if (name.includes(own)) await server.sql(undefined, `drop database ${quoteMysqlName(name)}`)
  }
  await server.stop()
})

describe('a dump', () => {
  it('is restored into a new database, which then equals the source', async () => {
    const report = await driverOf(`new ${own}`).restore(backup, { mode: 'create' }, ctx)
    expect(report).toMatchObject({ created: true, warnings: [] })
    expect(await plainDump(server, `new ${own}`)).toBe(original)
  })
})

import { createRunContext, type Driver } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import { mysql } from '@holdfast/driver-mysql'
import { type MysqlServer, nastyMysqlDatabase, startMariadb } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { folder } from './support.js'

const ctx = createRunContext()
const binDir = folder('HOLDFAST_TEST_MYSQL_BINDIR')
let server: MysqlServer

beforeAll(async () => {
  folder('HOLDFAST_TEST_MYSQL_URL') // without it, a server of the programs' own flavour would be started
  server = await startMariadb()
})
afterAll(() => server.stop())

const driverOf = (database: string): Driver => mysql({ url: server.url(database), binDir })

/** A database, made of the statements that `keep` keeps. */
async function make(name: string, keep: (statement: string) => boolean): Promise<Driver> {
  await server.createDatabase(name)
  await server.sql(name, ...nastyMysqlDatabase(server.isMariadb).filter(keep))
  return driverOf(name)
}

describe('programs of the other flavour', () => {
  it('dump what they can restore, with a warning, and refuse the rest', async () => {
    const whole = await make('whole', () => true)
    const plain = await make('plain', (statement) => !statement.includes('computed'))
    if (server.isMariadb) {
      await expect(plain.dump({}, ctx)).rejects.toMatchObject({ code: 'tool-missing' })
      return
    }
    await expect(whole.dump({}, ctx)).rejects.toMatchObject({
      code: 'tool-missing',
      message: expect.stringContaining('computed.b'),
      hint: expect.stringContaining('mysql-client'),
    })
    const backup = await memoryBackup(plain, { inventory: 'checksums' }, ctx)
    expect(backup.manifest.warnings).toContainEqual(expect.stringContaining('is not made for MySQL 9.7'))
    const { warnings } = await driverOf('again').restore(backup, { mode: 'create' }, ctx)
    expect(warnings).toContainEqual(expect.stringContaining('is not made for MySQL 9.7'))
    const again = await memoryBackup(driverOf('again'), { inventory: 'checksums' }, ctx)
    expect(again.manifest.inventory?.tables).toEqual(backup.manifest.inventory?.tables)
    const text = (bytes: Uint8Array | undefined) =>
      Buffer.from(bytes ?? [])
        .toString()
        .replaceAll(/(database '|Database: )again/g, '$1plain')
    expect(text(again.bytes.get('sql'))).toBe(text(backup.bytes.get('sql')))
    const chosen = await memoryBackup(whole, { tables: ['parent', 'child'] }, ctx)
    expect(text(chosen.bytes.get('sql'))).toContain('`parent`')
  })
})

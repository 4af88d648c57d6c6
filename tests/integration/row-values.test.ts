import { inspect } from 'node:util'
import { createRunContext, type Driver, isBackupError, type Logger } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import { mysql } from '@holdfast/driver-mysql'
import { postgres } from '@holdfast/driver-postgres'
import { type MysqlServer, type PostgresServer, startMariadb, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const lines = 40

/** What a restore that fails on a row has to say, in its error and in the log. */
async function saidOf(source: Driver, target: Driver, format?: string): Promise<{ error: Error; all: string }> {
  const backup = await memoryBackup(source, { sections: 'data', ...(format && { format }) }, createRunContext())
  const logged: unknown[] = []
  const log = (...words: unknown[]): void => void logged.push(words)
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  const error = await target.restore(backup, { mode: 'append' }, createRunContext({ log: logger })).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isBackupError(error)) throw error ?? new Error('it did not fail')
  return { error, all: inspect([error, logged], { depth: 9 }) }
}

describe('PostgreSQL', () => {
  let server: PostgresServer
  const value = `E'${Array.from({ length: lines }, (_, i) => `canary ${i}`).join('\\n')}'`
  // A column of a row that a constraint refuses is cut after 64 characters.
  const short = `E'${Array.from({ length: 31 }, () => '~').join('\\n')}'`

  beforeAll(async () => {
    server = await startPostgres()
    for (const name of ['shop', 'typed', 'checked']) await server.createDatabase(name)
    const table = `create table notes (id int, v text, w text, x text)`
    await server.sql('shop', `${table}; insert into notes values (1, ${value}, ${short}, ${short})`)
    await server.sql('typed', 'create table notes (id int, v int, w text, x text)')
    await server.sql('checked', `${table}; alter table notes add constraint brief check (length(v) < 9)`)
  })
  afterAll(() => server.stop())

  describe.each([
    ['pg_restore', 'custom'],
    ['psql', 'plain'],
  ])('%s', (program, format) => {
    it.each([
      ['typed', 'invalid input syntax for type integer'],
      ['checked', 'violates check constraint "brief"'],
    ])(`tells nothing of a row of ${lines} lines on which a restore fails: %s`, async (target, why) => {
      const driverOf = (name: string): Driver => postgres({ url: server.url(name), binDir: server.binDir })
      const { error, all } = await saidOf(driverOf('shop'), driverOf(target), format)
      expect(error.message).toContain(program)
      expect(error.message).toContain(why)
      expect(all).not.toMatch(/canary|~/)
    })
  })
})

describe('MariaDB', () => {
  let server: MysqlServer
  beforeAll(async () => {
    server = await startMariadb()
  })
  afterAll(() => server.stop())

  it('tells nothing of a key of many lines that is there already', async () => {
    // The server cuts it after 64 characters.
    const key = `'${Array.from({ length: 30 }, () => '~').join('\\n')}'`
    for (const name of ['shop', 'full']) {
      await server.createDatabase(name)
      await server.sql(name, 'create table notes (v varchar(99) primary key)', `insert into notes values (${key})`)
    }
    const driverOf = (name: string): Driver => mysql({ url: server.url(name) })
    const { error, all } = await saidOf(driverOf('shop'), driverOf('full'))
    expect(error.message).toContain('Duplicate entry')
    expect(all).not.toContain('~')
  })
})

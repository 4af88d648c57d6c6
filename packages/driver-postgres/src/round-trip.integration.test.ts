import { createRunContext, type Driver } from '@holdfast/core'
import { type MemoryBackup, memoryBackup } from '@holdfast/core/testing'
import { nastyDatabase, type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainDump } from '../test/support.js'
import { postgres } from './driver.js'

const ctx = createRunContext()
const source = 'host=evil.invalid "s\'ource" 😀'
let server: PostgresServer
let original: string

beforeAll(async () => {
  server = await startPostgres()
  await server.createDatabase(source)
  await server.sql(source, nastyDatabase)
  original = await plainDump(server, source)
})
afterAll(() => server.stop())

const driverOf = (database: string, options: object = {}): Driver =>
  postgres({ url: server.url(database), binDir: server.binDir, ...options })

describe.each(['custom', 'plain'])('a %s dump', (format) => {
  let backup: MemoryBackup
  beforeAll(async () => {
    backup = await memoryBackup(driverOf(source), { format, inventory: 'counts' }, ctx)
  })

  it('is restored into a new database, which then equals the source', async () => {
    const target = driverOf(`new ${format}`)
    const report = await target.restore(backup, { mode: 'create' }, ctx)
    expect(report.created).toBe(true)
    expect(await plainDump(server, `new ${format}`)).toBe(original)
  })
})

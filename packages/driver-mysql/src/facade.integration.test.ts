import { createHoldfast, type Driver } from '@holdfast/core'
import { memoryStorage } from '@holdfast/core/testing'
import { type MysqlServer, nastyMysqlDatabase, startMariadb } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dropDatabases, plainDump } from '../test/support.js'
import { mysql } from './driver.js'

const own = process.pid.toString(36)
const shop = `facade_${own}`
let server: MysqlServer

beforeAll(async () => {
  server = await startMariadb()
  await server.createDatabase(shop)
  await server.sql(shop, ...nastyMysqlDatabase(server.isMariadb))
})
afterAll(async () => {
  await dropDatabases(server, own)
  await server.stop()
})

const source = (): Driver => mysql({ url: server.url(shop), ...(server.binDir ? { binDir: server.binDir } : {}) })

describe('a job with a MySQL source', () => {
  it('is backed up, proved by a test restore, restored beside it with a swap, and taken back', async () => {
    const original = await plainDump(server, shop)
    const jobs = { shop: { source: source(), storages: [memoryStorage()], inventory: 'checksums' as const } }
    await using holdfast = createHoldfast({ jobs })
    const { status, backup } = await holdfast.backup('shop')
    expect(status).toBe('complete')
    const verified = await holdfast.verify('latest', { testRestore: true })
    expect(verified).toMatchObject({ status: 'intact', test: { status: 'proven' } })

    await server.sql(shop, 'delete from child', 'drop view a_view_of_views', `insert into no_key values (9, 9)`)
    const changed = await plainDump(server, shop)
    await holdfast.restore(backup.id)
    expect(await plainDump(server, shop)).toBe(original)
    await holdfast.undo()
    expect(await plainDump(server, shop)).toBe(changed)
  })
})

import { describe, expect, it } from 'vitest'
import { BackupError } from '../backup-error.js'
import { streamOf } from '../byte-stream.js'
import { createHoldfast } from '../holdfast.js'
import { createRunContext } from '../run-context.js'
import { memoryDriver } from '../testing/memory-driver.js'
import { memoryStorage } from '../testing/memory-storage.js'
import type { Driver } from './driver.js'
import { withoutDatabase } from './without-database.js'

const problem = new BackupError('config-invalid', { message: 'SHOP_URL is not set', hint: 'Set it.' })
const ctx = createRunContext()
const memory = (): Driver => memoryDriver({ database: { content: Buffer.from('rows') } })

describe('a driver without its database', () => {
  it('throws what is missing from whatever needs the database', async () => {
    const driver = withoutDatabase(problem)
    expect(driver).toMatchObject({ engine: 'unknown', database: '', unusable: problem })
    await expect(driver.probe(ctx)).rejects.toBe(problem)
    await expect(driver.dump({}, ctx)).rejects.toBe(problem)
    await expect(driver.restore({} as never, { mode: 'create' }, ctx)).rejects.toBe(problem)
  })

  it('still reads dumps', async () => {
    const checked: string[] = []
    const contents = async (): Promise<[]> => []
    const reader = { ...memory(), contents, check: async ({ name }: { name: string }) => void checked.push(name) }
    const driver = withoutDatabase(problem, reader)
    await driver.check?.({ name: 'dump', mediaType: '' }, streamOf(), ctx)
    expect([driver.engine, checked, driver.contents]).toEqual([reader.engine, ['dump'], contents])
  })

  it('keeps nobody from the backups of other jobs, and writes nothing', async () => {
    const storage = memoryStorage()
    await using holdfast = createHoldfast({
      jobs: {
        shop: { source: withoutDatabase(problem), storages: [storage] },
        stock: { source: memory(), storages: [storage] },
      },
    })
    await expect(holdfast.backup('shop')).rejects.toBe(problem)
    expect((await holdfast.list()).backups).toEqual([])
    await holdfast.backup('stock')
    expect((await holdfast.list()).backups).toHaveLength(1)
  })
})

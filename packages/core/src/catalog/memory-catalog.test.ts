import { describe, expect, it } from 'vitest'
import { memoryCatalog } from './memory-catalog.js'

const at = new Date('2026-03-01T00:00:00Z')

describe('the catalog in memory', () => {
  it('keeps the last thousand runs, newest first', async () => {
    const catalog = memoryCatalog()
    for (let n = 0; n < 1_005; n++) {
      await catalog.begin({ id: `${n}`, kind: 'backup', job: n % 2 ? 'shop' : 'crm', status: 'running', startedAt: at })
    }
    await catalog.finish('1004', { status: 'partial', endedAt: at, durationMs: 5 })
    await catalog.finish('forgotten', { status: 'failed', endedAt: at, durationMs: 5 })
    const runs = await catalog.runs()
    expect(runs).toHaveLength(1_000)
    expect(runs[0]).toMatchObject({ id: '1004', status: 'partial' })
    expect((await catalog.runs({ job: 'shop', limit: 1 })).map(({ id }) => id)).toEqual(['1003'])
  })
})

import { describe, expect, it } from 'vitest'
import { streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { memoryStorage } from './memory-storage.js'
import { storageCasePrefix, storageContract } from './storage-contract.js'

describe('memoryStorage keeps the contract', () => {
  for (const { name, run, simulate } of storageContract) {
    if (!simulate)
      it(name, () => run({ storage: memoryStorage(), prefix: storageCasePrefix(), ctx: createRunContext() }))
  }
})

describe('memoryStorage', () => {
  it('bears the name it is given', () => {
    expect([memoryStorage().name, memoryStorage({ name: 'second' }).name]).toEqual(['memory', 'second'])
  })

  it('takes its times from the clock of the context', async () => {
    const ctx = createRunContext()
    const ownCtx = { ...ctx, clock: { ...ctx.clock, now: () => new Date('2001-02-03T04:05:06Z') } }
    const stored = await memoryStorage().put('key', streamOf(), {}, ownCtx)
    expect(stored.modifiedAt.toISOString()).toBe('2001-02-03T04:05:06.000Z')
  })

  it('does not list what is deleted meanwhile', async () => {
    const storage = memoryStorage()
    const ctx = createRunContext()
    for (const key of ['a', 'b']) await storage.put(key, streamOf(), {}, ctx)
    const listed: string[] = []
    for await (const { key } of storage.list('', ctx)) {
      listed.push(key)
      await storage.delete('b', ctx)
    }
    expect(listed).toEqual(['a'])
  })
})

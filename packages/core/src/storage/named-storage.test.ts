import { expect, it } from 'vitest'
import { createRunContext } from '../run-context.js'
import { memoryStorage } from '../testing/memory-storage.js'
import { storageContract } from '../testing/storage-contract.js'
import { named } from './named-storage.js'

it('has its new name, and what the storage can do', async () => {
  const inner = memoryStorage()
  const renamed = named(
    { ...inner, freeSpace: async () => 7, sweepUnfinished: async () => 3, close: async () => {} },
    'disk',
  )
  expect(renamed).toMatchObject({ name: 'disk', display: inner.display, isLocal: true })
  expect(await renamed.freeSpace?.(createRunContext())).toBe(7)
  expect(await renamed.sweepUnfinished?.({ before: new Date(), prefixes: [''] }, createRunContext())).toBe(3)
  await renamed.close?.()
  const { freeSpace, sweepUnfinished, isLocal, ...bare } = inner
  expect(named(bare, 'x')).toMatchObject({ isLocal: false })
  expect('freeSpace' in named(bare, 'x')).toBe(false)
})

it('keeps the contract', async () => {
  for (const [index, { run }] of storageContract.filter(({ heavy }) => !heavy).entries()) {
    await run({ storage: named(memoryStorage(), 'disk'), prefix: `case-${index}/`, ctx: createRunContext() })
  }
})

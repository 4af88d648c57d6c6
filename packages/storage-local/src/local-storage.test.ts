import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext } from '@holdfast/core'
import { storageCasePrefix, storageContract } from '@holdfast/core/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { local } from './local-storage.js'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-local-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('local keeps the contract', () => {
  const ctx = createRunContext()
  for (const { name, run, simulate } of storageContract) {
    const simulateBytes = 1024 * 1024 * 1024
    if (!simulate)
      it(name, () => run({ storage: local({ path: directory }), prefix: storageCasePrefix(), ctx, simulateBytes }))
  }
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, MiB } from '@holdfast/core'
import { storageCasePrefix, storageContract } from '@holdfast/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tree } from '../test/temp-directory.js'
import { local } from './local-storage.js'

// What takes many files or bytes; the rest of the contract is in the unit tests.
describe('local keeps the heavy part of the contract', () => {
  let path: string
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'holdfast-local-'))
  })
  afterAll(() => rm(path, { recursive: true }))

  for (const { name, run } of storageContract.filter(({ heavy }) => heavy)) {
    // A disk takes 1 GiB as it takes 5; what is looked at is the memory.
    const env = { prefix: storageCasePrefix(), ctx: createRunContext(), simulateBytes: 1024 * MiB }
    it(name, () => run({ ...env, storage: local({ path }) }))
  }

  it('and leaves an empty directory', async () => {
    expect(await tree(path)).toEqual([])
  })
})

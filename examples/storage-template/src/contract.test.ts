import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext } from '@holdfast/core'
import { storageCasePrefix, storageContract } from '@holdfast/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shelf, shelfPlugin } from './index.js'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-test-'))
})
afterAll(() => rm(root, { recursive: true }))

describe('the storage', () => {
  for (const { name, run, simulate } of storageContract) {
    if (simulate) continue // 5 GiB: where the far end counts bytes and throws them away
    it(name, () =>
      run({ storage: shelf({ path: join(root, 'shelf') }), prefix: storageCasePrefix(), ctx: createRunContext() }),
    )
  }

  it('is made from a URL', () => {
    expect(shelfPlugin.create(shelfPlugin.fromUrl('shelf:/srv/backups')).display).toBe('shelf:/srv/backups')
  })
})

import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createRunContext, streamOf } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { useTempDirectories } from '../test/temp-directory.js'
import { local } from './index.js'

const temp = useTempDirectories()

describe('a directory that cannot be made', () => {
  it('is told in words, with a way on', async () => {
    const away = join(await temp(), 'away')
    await symlink('/nowhere/at/all', away)
    const put = local({ path: join(away, 'backups') }).put('a', streamOf(), {}, createRunContext())
    await expect(put).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('a directory on the way is not there'),
      hint: 'Check the path, and that its volume is mounted.',
    })
  })
})

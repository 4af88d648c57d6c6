import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { resolveS3Options } from './options.js'
import { createPlace } from './place.js'

it('a connection that could not be made is made anew', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-place-'))
  try {
    const caFile = join(directory, 'ca.pem')
    const place = createPlace(resolveS3Options({ bucket: 'backups', caFile }))
    await expect(place.connection()).rejects.toMatchObject({ code: 'storage-config-invalid' })
    writeFileSync(caFile, '')
    const made = await place.connection()
    expect(await place.connection()).toBe(made)
    await place.disconnect()
  } finally {
    rmSync(directory, { recursive: true })
  }
})

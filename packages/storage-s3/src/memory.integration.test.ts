import { createRunContext } from '@holdfast/core'
import { storageCasePrefix, storageContract } from '@holdfast/core/testing'
import { type S3Server, startS3Server } from '@holdfast/test-support'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { s3 } from './index.js'

/** Enough for memory that grows with the length to be seen. HOLDFAST_UPLOAD_GIB=5 for all that the contract asks. */
const gibibytes = Number(process.env.HOLDFAST_UPLOAD_GIB ?? 1)
const simulateBytes = gibibytes * 1024 ** 3

let server: S3Server
beforeAll(async () => {
  server = await startS3Server({ discard: true })
  await server.createBucket('backups')
})
afterAll(async () => {
  await server?.stop()
})

for (const test of storageContract.filter((each) => each.simulate)) {
  it(`${test.name}, with ${gibibytes} GiB`, async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server
    const storage = s3({ bucket: 'backups', endpoint, accessKeyId, secretAccessKey })
    try {
      await test.run({ storage, prefix: storageCasePrefix(), ctx: createRunContext(), simulateBytes })
    } finally {
      await storage.close?.()
    }
    expect(await server.openUploads('backups')).toEqual([])
  })
}

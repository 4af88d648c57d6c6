import { createRunContext } from '@holdfast/core'
import { storageCasePrefix, storageContract } from '@holdfast/core/testing'
import { type S3Server, startS3Server } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type S3Options, s3 } from './index.js'
import { optionsFromUrl } from './s3-url.js'

let server: S3Server
let ignorant: S3Server
beforeAll(async () => {
  server = await startS3Server()
  ignorant = await startS3Server({ ignoreConditions: true })
  for (const each of [server, ignorant]) await each.createBucket('backups')
})
afterAll(async () => {
  await server?.stop()
  await ignorant?.stop()
})

const at = ({ endpoint, accessKeyId, secretAccessKey }: S3Server): S3Options => ({
  bucket: 'backups',
  endpoint,
  accessKeyId,
  secretAccessKey,
})

/** Runs the contract against a bucket; `advisory` tells whether what not every provider can keep is asked for. */
function runContract(options: () => S3Options, advisory: boolean): void {
  for (const test of storageContract) {
    if (test.simulate || (test.advisory && !advisory)) continue
    it(test.name, async () => {
      const storage = s3(options())
      try {
        await test.run({ storage, prefix: storageCasePrefix(), ctx: createRunContext() })
      } finally {
        await storage.close?.()
      }
    })
  }
}

describe('the storage contract, in a folder of a bucket', () => {
  runContract(() => ({ ...at(server), prefix: '/prod/eu/' }), true)
})

describe('the storage contract, at a service that ignores conditions', () => {
  runContract(() => at(ignorant), false)
})

const outside = process.env.HOLDFAST_TEST_S3_URL
if (outside) {
  describe('the storage contract, at HOLDFAST_TEST_S3_URL', () => {
    const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = process.env
    runContract(() => ({ ...optionsFromUrl(outside), accessKeyId, secretAccessKey }), false)
  })
}

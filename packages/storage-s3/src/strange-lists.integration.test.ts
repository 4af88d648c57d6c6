import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRunContext, type Storage } from '@holdfast/core'
import { afterEach, describe, expect, it } from 'vitest'
import { s3 } from './index.js'

const ctx = createRunContext()
let server: Server
let storage: Storage
afterEach(async () => {
  await storage.close?.()
  server.closeAllConnections()
  server.close()
})

/** A service that answers each request with a document; the query of the request says which. */
async function serve(answer: (query: URLSearchParams) => string): Promise<URLSearchParams[]> {
  const asked: URLSearchParams[] = []
  server = createServer((request: IncomingMessage, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost')
    asked.push(searchParams)
    response.setHeader('content-type', 'application/xml').end(answer(searchParams))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const keys = { accessKeyId: 'access-key', secretAccessKey: 'secret-key' }
  storage = s3({ bucket: 'backups', prefix: 'prod', endpoint, attempts: 1, ...keys })
  return asked
}

const date = '2026-11-01T00:00:00.000Z'
const page = (keys: readonly string[], next?: string): string =>
  `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`}${keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size><LastModified>${date}</LastModified></Contents>`).join('')}</ListBucketResult>`

async function listed(prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix, ctx)) keys.push(key)
  return keys
}

describe('a service', () => {
  it('whose list goes on where it stands is not asked for ever', { timeout: 20_000 }, async () => {
    const asked = await serve(() => page(['prod/shop/a'], 'here'))
    await expect(listed('shop/')).rejects.toThrow('says that its list goes on, and not where')
    expect(asked).toHaveLength(2)
  })

  it('whose list goes on elsewhere is asked to its end', async () => {
    const asked = await serve((query) =>
      query.has('continuation-token') ? page(['prod/shop/b']) : page(['prod/shop/a'], 'there'),
    )
    expect(await listed('shop/')).toEqual(['shop/a', 'shop/b'])
    expect(asked.map((query) => query.get('continuation-token'))).toEqual([null, 'there'])
  })

  it('that does not heed the prefix gives no keys of others', async () => {
    await serve(() => page(['prod/shop/a', 'test/shop/b', 'prod/blog/c', 'x']))
    expect(await listed('shop/')).toEqual(['shop/a'])
  })

  it('whose list of uploads goes on where it stands is not asked for ever', { timeout: 20_000 }, async () => {
    const upload = `<Upload><Key>prod/shop/a</Key><UploadId>1</UploadId><Initiated>${date}</Initiated></Upload>`
    const asked = await serve(
      () =>
        `<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>prod/shop/a</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>${upload}</ListMultipartUploadsResult>`,
    )
    expect(await storage.sweepUnfinished?.({ before: new Date(date), prefixes: ['shop/'] }, ctx)).toBe(0)
    expect(asked).toHaveLength(2)
  })
})

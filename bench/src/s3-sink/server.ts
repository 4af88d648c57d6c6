// The least that clients need of S3 to write and read objects as fast as a loopback network can: bodies go to files as
// they come, nothing is hashed, no signature is checked. Run as a process of its own: node server.ts FOLDER. Prints
// its port and ends with its standard input.
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerError, answerList, answerXml } from '#bench/s3-sink/answers'
import { abortUpload, objects, removeObject, storeObject, uploads } from '#bench/s3-sink/objects'
import { receive } from '#bench/s3-sink/receive'
import { send } from '#bench/s3-sink/send'

interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** `bucket/key`. */
  readonly path: string
  readonly query: URLSearchParams
}

const folder = process.argv[2] ?? '.'
mkdirSync(folder, { recursive: true })

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://host')
  const path = decodeURIComponent(pathname).replace(/^\/|\/$/g, '')
  const call: Call = { request, response, path, query }
  if (!path.includes('/')) return answerBucket(call)
  if (request.method === 'PUT') return put(call)
  if (request.method === 'POST') return query.has('uploads') ? begin(call) : complete(call)
  if (request.method === 'DELETE') return remove(call)
  const object = objects.get(path)
  return object ? send(object, request, response) : answerError(response, 404, 'NoSuchKey')
}

async function answerBucket({ request, response, path, query }: Call): Promise<void> {
  if (request.method === 'DELETE') for (const key of objects.keys()) removeObject(key) // S3 would want it to be empty
  if (request.method !== 'GET') return void response.end()
  if (query.has('uploads')) return answerXml(response, '<ListMultipartUploadsResult/>')
  answerList(path, query, response)
}

async function put({ request, response, path, query }: Call): Promise<void> {
  const file = await receive(request, folder)
  const upload = uploads.get(query.get('uploadId') ?? '')
  if (upload) upload.parts.set(Number(query.get('partNumber')), file)
  else if (isTaken(request, path)) return answerError(response, 412, 'PreconditionFailed')
  const etag = upload ? `"${randomUUID()}"` : storeObject(path, [file], metadataOf(request)).etag
  response.writeHead(200, { etag }).end()
}

function begin({ request, response }: Call): void {
  const id = randomUUID()
  uploads.set(id, { metadata: metadataOf(request), parts: new Map() })
  answerXml(response, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`)
}

async function complete({ request, response, path, query }: Call): Promise<void> {
  request.resume()
  const id = query.get('uploadId') ?? ''
  const upload = uploads.get(id)
  if (!upload) return answerError(response, 404, 'NoSuchUpload')
  if (isTaken(request, path)) return answerError(response, 412, 'PreconditionFailed')
  uploads.delete(id)
  const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part)
  const { etag } = storeObject(path, parts, upload.metadata)
  answerXml(response, `<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`)
}

function remove({ response, path, query }: Call): void {
  const id = query.get('uploadId')
  if (id === null) removeObject(path)
  else abortUpload(id)
  response.writeHead(204).end()
}

const isTaken = (request: IncomingMessage, path: string): boolean =>
  request.headers['if-none-match'] === '*' && objects.has(path)

function metadataOf({ headers }: IncomingMessage): Record<string, string> {
  const own = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'))
  return Object.fromEntries(own.map(([name, value]) => [name, `${value}`]))
}

const server = createServer({ highWaterMark: 1 << 20 }, (request, response) => {
  answer(request, response).catch((error) => {
    // Clients that have seen enough of an object close the connection.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE')
      process.stderr.write(`${request.method} ${request.url}: ${error}\n`)
    response.destroy()
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
process.stdin.resume().on('end', () => process.exit())

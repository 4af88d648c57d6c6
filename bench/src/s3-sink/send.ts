import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { StoredObject } from '#bench/s3-sink/objects'

/** Answers GET and HEAD of an object, whole or a range. */
export async function send(object: StoredObject, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  const first = range ? Number(range[1]) : 0
  const last = range?.[2] ? Math.min(Number(range[2]), object.size - 1) : object.size - 1
  response.writeHead(range ? 206 : 200, {
    ...object.metadata,
    'content-length': last - first + 1,
    'accept-ranges': 'bytes',
    etag: object.etag,
    'last-modified': object.modified.toUTCString(),
    ...(range && { 'content-range': `bytes ${first}-${last}/${object.size}` }),
  })
  if (request.method === 'HEAD') return void response.end()
  await pipeline(bytesOf(object, first, last), response)
}

async function* bytesOf(object: StoredObject, first: number, last: number): AsyncGenerator<Buffer> {
  let begin = 0
  for (const { path, size } of object.files) {
    const start = Math.max(first - begin, 0)
    const end = Math.min(last - begin, size - 1)
    begin += size
    if (start <= end) yield* createReadStream(path, { start, end, highWaterMark: 1 << 20 })
  }
}

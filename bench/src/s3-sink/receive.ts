import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { StoredFile } from '#bench/s3-sink/objects'

/** Writes the body of a request to a new file. */
export async function receive(request: IncomingMessage, folder: string): Promise<StoredFile> {
  const path = join(folder, randomUUID())
  const file = createWriteStream(path, { highWaterMark: 1 << 20 })
  const isChunked = `${request.headers['x-amz-content-sha256']}`.startsWith('STREAMING-')
  await pipeline(isChunked ? withoutChunkHeaders(request) : request, file)
  return { path, size: file.bytesWritten }
}

/** `aws-chunked`: each chunk is preceded by its length in hexadecimal; checksums may follow the last one. */
async function* withoutChunkHeaders(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let left = 0 // bytes of data before the next header
  let header = ''
  for await (let chunk of body) {
    while (chunk.length > 0) {
      if (left > 0) {
        yield chunk.subarray(0, left)
        const taken = Math.min(left, chunk.length)
        left -= taken
        chunk = chunk.subarray(taken)
        continue
      }
      const end = chunk.indexOf(10)
      header += chunk.subarray(0, end === -1 ? chunk.length : end).toString('latin1')
      if (end === -1) break
      chunk = chunk.subarray(end + 1)
      const length = /^([0-9a-f]+)(;.*)?\r$/.exec(header)
      if (length) left = Number.parseInt(length[1] ?? '0', 16)
      header = ''
    }
  }
}

import { BackupError, type ByteStream } from '@holdfast/core'

/**
 * A database file that ends only if it is as long as its header says.
 *
 * @see https://www.sqlite.org/fileformat2.html#the_database_header
 * @throws {BackupError} `corrupt`.
 */
export async function* wholeFile(body: ByteStream): AsyncGenerator<Uint8Array> {
  let header = Buffer.alloc(0)
  let size = 0
  for await (const chunk of body) {
    if (header.length < 100) header = Buffer.concat([header, chunk.subarray(0, 100)])
    size += chunk.byteLength
    yield chunk
  }
  const problem = problemOf(header, size)
  if (problem !== undefined)
    throw new BackupError('corrupt', { message: `The dump is no whole SQLite file: ${problem}` })
}

function problemOf(header: Buffer, size: number): string | undefined {
  if (header.length < 100) return `it has ${size} bytes, not even a header`
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0') return 'it does not begin as one'
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
  const expected = header.readUInt32BE(28) * pageSize
  return size === expected ? undefined : `it has ${size} bytes, and its header says ${expected}`
}

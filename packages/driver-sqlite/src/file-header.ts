import { BackupError, type ByteStream } from '@holdfast/core'

/**
 * A database file that ends only if it is as long as its header says. Beyond that it gives out nothing: a little can
 * decompress to more than the disk beside a live database holds.
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
    if (header.length >= 100 && size > expectedBytes(header)) throw notWhole(`at least ${size} bytes`, header)
    yield chunk
  }
  if (header.length < 100) throw noDatabase(`it has ${size} bytes, not even a header`)
  if (size !== expectedBytes(header)) throw notWhole(`${size} bytes`, header)
}

/** @throws {BackupError} `corrupt` where it is the header of something else. */
function expectedBytes(header: Buffer): number {
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw noDatabase('it does not begin as one')
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
  return header.readUInt32BE(28) * pageSize
}

function notWhole(has: string, header: Buffer): BackupError {
  return noDatabase(`it has ${has}, and its header says ${expectedBytes(header)}`)
}

function noDatabase(problem: string): BackupError {
  return new BackupError('corrupt', { message: `The dump is no whole SQLite file: ${problem}` })
}

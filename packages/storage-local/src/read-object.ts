import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { BackupError, type ByteRange, type ByteStream } from '@holdfast/core'
import { type Place, refuseLinks } from './root-directory.js'
import { explained, hasCode, toStorageError } from './storage-error.js'

/** Bytes of one read. The next one is under way while this one is used. */
const blockSize = 512 * 1024

/** The bytes of the file at `place`, or of a range of them. A file that becomes shorter while it is read throws. */
export async function* readObject(
  place: Place,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
): ByteStream {
  const file = await openForReading(place, key)
  try {
    const { size } = await explained(`Reading ${key}`, file.stat())
    const start = range?.start ?? 0
    const end = Math.min(range?.end === undefined ? size : range.end + 1, size)
    const read = (at: number): Promise<Uint8Array> | undefined => {
      if (at >= end) return undefined
      const block = explained(`Reading ${key}`, readBlock(file, at, Math.min(blockSize, end - at), key))
      block.catch(() => {}) // a reader that stops early never looks at it
      return block
    }
    for (let at = start, block = read(at); block; ) {
      const bytes = await block
      signal.throwIfAborted()
      at += bytes.byteLength
      block = read(at)
      yield bytes
      signal.throwIfAborted()
    }
  } finally {
    await file.close() // waits for a read that is under way
  }
}

/** O_NONBLOCK: a FIFO in the place of an object must not hang the open; it means nothing to a file. */
async function openForReading(place: Place, key: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  let file: FileHandle
  try {
    file = await open(place.path, flags)
  } catch (error) {
    // ELOOP: a link; ENXIO: a socket. Neither is an object.
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) throw notFound(key, place)
    throw toStorageError(error, `Opening ${key}`)
  }
  try {
    if (!(await explained(`Opening ${key}`, file.stat())).isFile()) throw notFound(key, place)
    await refuseLinks(place)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

async function readBlock(file: FileHandle, at: number, length: number, key: string): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length)
  const { bytesRead } = await file.read(buffer, 0, length, at)
  if (bytesRead === 0) {
    throw new BackupError('corrupt', {
      message: `The file of ${key} became shorter while it was read: it ends at byte ${at}`,
      hint: 'Another program changes files in this directory.',
    })
  }
  return buffer.subarray(0, bytesRead)
}

function notFound(key: string, { root }: Place): BackupError {
  return new BackupError('not-found', { message: `There is no object ${key} in ${root}` })
}

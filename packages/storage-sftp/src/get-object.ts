import { BackupError, type ByteRange, type ByteStream } from '@holdfast/core'
import type { Connection } from './connection.js'
import { explained, hasStatus, status } from './errors.js'
import { closeHandle, openFile, statHandle } from './files.js'
import { findObject } from './find-object.js'
import { isReally, type Place, placeOf } from './root.js'
import type { Session } from './session.js'

/** Bytes of one request: every server gives as many. */
const pieceSize = 32 * 1024
/** Bytes that are handed out at once, read by eight requests. */
const blockSize = 8 * pieceSize
/** Blocks under way at once: 2 MiB, which bounds the memory. */
const blocksAhead = 8

/** The bytes of an object, or of a range of it. A file that becomes shorter while it is read throws. */
export async function* getObject(
  connection: Connection,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
): ByteStream {
  using lease = await connection.lease(signal)
  const { session } = lease
  const place = placeOf(session, key)
  const handle = await openForReading(session, place, signal)
  try {
    const { size } = await explained(`Reading ${key}`, statHandle(session.call, handle, signal))
    const end = Math.min(range?.end === undefined ? size : range.end + 1, size)
    const blocks: Promise<Buffer>[] = []
    for (let at = range?.start ?? 0; at < end || blocks.length > 0; ) {
      while (at < end && blocks.length < blocksAhead) {
        const block = readBlock(session, handle, at, Math.min(blockSize, end - at), key, signal)
        block.catch(() => {}) // a reader that stops early never looks at it
        blocks.push(block)
        at += blockSize
      }
      const next = await blocks.shift()
      signal.throwIfAborted()
      if (next) yield next
      signal.throwIfAborted()
    }
  } finally {
    closeHandle(session.call, handle).catch(() => {})
  }
}

/** Looks first: a server that opens a pipe would hang. */
async function openForReading(session: Session, place: Place, signal: AbortSignal): Promise<Buffer> {
  const { call } = session
  const doing = `Opening ${place.key}`
  for (let attempt = 1; ; attempt++) {
    const [found, isThere] = await Promise.all([
      explained(doing, findObject(call, place.path, signal)),
      isReally(call, place.directory, signal),
    ])
    if (!found?.stats.isFile() || !isThere) throw notFound(place, session)
    try {
      return await openFile(call, found.path, 'r', {}, signal)
    } catch (error) {
      if (!hasStatus(error, status.noSuchFile)) {
        throw await explained(doing, Promise.reject(error)).catch((told: unknown) => told)
      }
      if (attempt === 3) throw notFound(place, session) // else a newer one has taken its place meanwhile
    }
  }
}

async function readBlock(
  session: Session,
  handle: Buffer,
  at: number,
  length: number,
  key: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const block = Buffer.allocUnsafeSlow(length)
  const pieces = Array.from({ length: Math.ceil(length / pieceSize) }, (_, index) => index * pieceSize)
  const read = (offset: number): Promise<void> =>
    readPiece(session, handle, block, { offset, end: Math.min(offset + pieceSize, length), at, key }, signal)
  await explained(`Reading ${key}`, Promise.all(pieces.map(read)))
  return block
}

interface Piece {
  readonly offset: number
  readonly end: number
  /** Where the block begins in the file. */
  readonly at: number
  readonly key: string
}

/** Reads all of a piece; a server may give less than it was asked for. */
async function readPiece(
  { call }: Session,
  handle: Buffer,
  block: Buffer,
  { offset, end, at, key }: Piece,
  signal: AbortSignal,
): Promise<void> {
  for (let done = offset; done < end; ) {
    const from = done
    const read = await call<number>(
      (sftp, answer) => sftp.read(handle, block, from, end - from, at + from, (error, bytes) => answer(error, bytes)),
      signal,
    ).catch((error: unknown) => {
      if (hasStatus(error, status.eof)) return 0
      throw error
    })
    if (read === 0) {
      throw new BackupError('corrupt', {
        message: `The file of ${key} became shorter while it was read: it ends at byte ${at + from}`,
        hint: 'Another program changes files in this directory.',
      })
    }
    done += read
  }
}

function notFound({ key }: Place, { root }: Session): BackupError {
  return new BackupError('not-found', { message: `There is no object ${key} in ${root}` })
}

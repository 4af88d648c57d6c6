import { type ByteStream, giveBack } from '@holdfast/core'
import type { Session } from './session.js'

/** Bytes of one request: every server takes as many, and a channel of SSH carries no more in one packet. */
const pieceSize = 32 * 1024

/** Requests under way at once, as many as the `sftp` program has: 2 MiB, which bounds the memory. */
const mostUnderWay = 64

/** Writes a stream to an open file, many pieces under way at once. @returns Bytes written. */
export async function writeBody(
  { call }: Session,
  handle: Buffer,
  body: ByteStream,
  signal: AbortSignal,
): Promise<number> {
  const underWay = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  let position = 0

  const write = (piece: Buffer): Promise<void> => {
    const at = position
    position += piece.byteLength
    const work = call<void>((sftp, done) => sftp.write(handle, piece, 0, piece.byteLength, at, done), signal)
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => underWay.delete(work))
    underWay.add(work)
    return work
  }

  for await (const chunk of body) {
    const written: Promise<void>[] = []
    for (const piece of piecesOf(chunk)) {
      while (underWay.size >= mostUnderWay && !failure) await Promise.race(underWay)
      if (failure) throw failure.error
      written.push(write(piece))
    }
    // After a failure a piece may still be on its way, for all that is known.
    void Promise.all(written).then(() => !failure && giveBack(chunk))
  }
  await Promise.all(underWay)
  if (failure) throw (failure as { readonly error: unknown }).error
  return position
}

function* piecesOf(chunk: Uint8Array): Generator<Buffer> {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  for (let at = 0; at < bytes.byteLength; at += pieceSize) yield bytes.subarray(at, at + pieceSize)
}

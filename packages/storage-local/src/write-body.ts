import type { FileHandle } from 'node:fs/promises'
import { type ByteStream, giveBack, MiB } from '@holdfast/core'

/** Chunks written by one system call at most: `IOV_MAX` is 1,024. */
const mostChunks = 1000

/** Bytes after which the disk is set to work, so that the last fsync finds little left to do. */
const flushEvery = 16 * MiB

/**
 * Writes a stream to a file in blocks of about 1 MiB. One block is being written while the next one fills, and what
 * was written is flushed in the background. Not a byte is copied.
 *
 * @param told - Wraps the errors of the file, so that they are not mistaken for errors of the body.
 * @returns Bytes written.
 */
export async function writeBody(
  file: FileHandle,
  body: ByteStream,
  told: <Result>(work: Promise<Result>) => Promise<Result>,
): Promise<number> {
  const flusher = backgroundFlush(file)
  let size = 0
  let writing: Promise<void> = Promise.resolve()

  const write = async (block: Uint8Array[], bytes: number): Promise<void> => {
    await writing // throws what went wrong with the block before
    writing = told(writeBlock(file, block)).then(() => {
      block.forEach(giveBack)
      flusher.wrote(bytes)
    })
    writing.catch(() => {}) // seen at the next block, or below
  }

  try {
    for await (const { block, bytes } of blocksOf(body)) {
      await write(block, bytes)
      size += bytes
    }
  } finally {
    await writing.catch(() => {}) // the file must not be closed beneath a write
  }
  await writing
  await told(flusher.settled())
  return size
}

async function* blocksOf(body: ByteStream): AsyncGenerator<{ block: Uint8Array[]; bytes: number }> {
  let block: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    if (chunk.byteLength === 0) continue
    block.push(chunk)
    bytes += chunk.byteLength
    if (bytes < MiB && block.length < mostChunks) continue
    yield { block, bytes }
    block = []
    bytes = 0
  }
  if (bytes > 0) yield { block, bytes }
}

/** Writes all of a block; a system call may take less than it was given. */
async function writeBlock(file: FileHandle, block: readonly Uint8Array[]): Promise<void> {
  let rest = block
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest)
    rest = without(rest, bytesWritten)
  }
}

/** What is left of `chunks` after their first `bytes`. */
function without(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes
  for (const [index, chunk] of chunks.entries()) {
    if (skip < chunk.byteLength) return [chunk.subarray(skip), ...chunks.slice(index + 1)]
    skip -= chunk.byteLength
  }
  return []
}

/**
 * Flushes now and then, one flush at a time. A flush that fails is remembered and none follows: its pages are lost,
 * and a later one may well succeed.
 */
function backgroundFlush(file: FileHandle): { wrote(bytes: number): void; settled(): Promise<void> } {
  let dirty = 0
  let idle = true
  let flushing: Promise<void> = Promise.resolve()

  const flush = async (): Promise<void> => {
    await file.datasync()
    idle = true
  }

  return {
    wrote(bytes) {
      dirty += bytes
      if (!idle || dirty < flushEvery) return
      dirty = 0
      idle = false
      flushing = flush()
      flushing.catch(() => {}) // thrown by `settled`
    },
    settled: () => flushing,
  }
}

import { Socket } from 'node:net'
import { lend } from '../stream/lent-block.js'
import type { PipeEnd } from './child-output.js'
import { openPipe } from './kernel-pipe.js'
import { readyBlocks } from './ready-blocks.js'

/** A pipe from a child that writes much in small pieces. Disposing closes our ends. */
export interface BlockPipe extends Disposable {
  /** To be given to the child as its output. */
  readonly writeEnd: PipeEnd
  /** What comes out, in blocks of one size; the last may be smaller. To be read once. */
  read(onBytes: () => void): AsyncGenerator<Uint8Array>
  /** Whether a block waits for its reader: then it is not the child that is slow. */
  waitsForUs(): boolean
}

/**
 * Opens a pipe whose reader fills one block after the other in place.
 *
 * What Node makes for a child itself allocates 64 KiB for each read, of which a dump fills a tenth: the garbage of a
 * gigabyte costs most of a second. Only a descriptor that we open ourselves can be told where to read to.
 *
 * @returns `undefined` where there are no such pipes; see {@link openPipe}.
 */
export async function openBlockPipe(blockBytes: number): Promise<BlockPipe | undefined> {
  const pipe = await openPipe()
  if (pipe === undefined) return undefined
  const { readEnd, writeEnd } = pipe
  const blocks = gatherBlocks(blockBytes)
  const reader = new Socket({ fd: readEnd.descriptor, readable: true, writable: false, onread: blocks })
  reader.pause()
  return {
    writeEnd,
    read: (onBytes) => blocks.read(reader, onBytes),
    waitsForUs: blocks.waitsForUs,
    [Symbol.dispose]() {
      reader.destroy() // closes the end that it reads from
      writeEnd[Symbol.dispose]()
    },
  }
}

/** Blocks that a socket fills: `buffer` and `callback` are what it calls for each of its reads. */
interface Blocks {
  buffer(): Uint8Array
  callback(bytes: number): boolean
  read(from: Socket, onBytes: () => void): AsyncGenerator<Uint8Array>
  waitsForUs(): boolean
}

function gatherBlocks(blockBytes: number): Blocks {
  const free: Buffer<ArrayBuffer>[] = []
  let block = Buffer.allocUnsafe(blockBytes)
  let filled = 0
  let seen = (): void => {}
  const blocks = readyBlocks(() => (filled > 0 && filled < block.length ? block.subarray(0, filled) : undefined))

  return {
    buffer() {
      if (filled === block.length) {
        block = free.pop() ?? Buffer.allocUnsafe(blockBytes)
        filled = 0
      }
      return block.subarray(filled)
    },
    callback(bytes) {
      seen()
      filled += bytes
      if (filled < block.length) return true
      blocks.add(lend(block, (returned) => free.push(returned)))
      return false // until somebody takes it
    },
    waitsForUs: () => blocks.waiting > 0,
    read(from, onBytes) {
      seen = onBytes
      return blocks.drain(from)
    },
  }
}

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { finished, type Writable } from 'node:stream'
import { privateDirectory } from './private-file.js'

/** A connection for a child that writes much in small pieces. Disposing closes our end. */
export interface BlockPipe extends Disposable {
  /** To be given to the child as its output, by descriptor, and destroyed in the tick of the spawn. */
  readonly childEnd: Writable
  /** What comes out, in blocks of one size; the last may be smaller. To be read once. */
  read(onBytes: () => void): AsyncGenerator<Uint8Array>
  /** Whether a block waits for its reader: then it is not the child that is slow. */
  waitsForUs(): boolean
}

/**
 * Opens a connection whose reader fills one block after the other in place.
 *
 * The pipe that Node makes for a child allocates 64 KiB for each read, of which a dump fills a tenth: the garbage of a
 * gigabyte costs most of a second. Only a socket that we connect ourselves can be told where to read to.
 *
 * @returns `undefined` where the directory for temporary files has too long a name for a socket, or takes none.
 */
export async function openBlockPipe(blockBytes: number): Promise<BlockPipe | undefined> {
  const server = createServer({ pauseOnConnect: true })
  try {
    await using directory = await privateDirectory()
    const path = join(directory.path, 'output')
    await once(server.listen(path), 'listening')
    const blocks = gatherBlocks(blockBytes)
    const reader = connect({ path, onread: blocks })
    reader.pause() // nothing is read before the child has its end
    const [[childEnd]] = (await Promise.all([once(server, 'connection'), once(reader, 'connect')])) as [[Socket], []]
    return {
      childEnd,
      read: (onBytes) => blocks.read(reader, onBytes),
      waitsForUs: blocks.waitsForUs,
      [Symbol.dispose]: () => void reader.destroy(),
    }
  } catch {
    return undefined
  } finally {
    server.close()
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
  const ready: Uint8Array[] = []
  let block = Buffer.allocUnsafe(blockBytes)
  let filled = 0
  let seen = (): void => {}
  let wake = (): void => {}

  return {
    buffer() {
      if (filled === block.length) {
        block = Buffer.allocUnsafe(blockBytes)
        filled = 0
      }
      return block.subarray(filled)
    },
    callback(bytes) {
      seen()
      filled += bytes
      if (filled < block.length) return true
      ready.push(block)
      wake()
      return false // until somebody takes it
    },
    waitsForUs: () => ready.length > 0,
    async *read(from, onBytes) {
      let end: { readonly error?: Error | null | undefined } | undefined
      seen = onBytes
      finished(from, { writable: false }, (error) => {
        end = { error }
        wake()
      })
      from.resume()
      while (end === undefined || ready.length > 0) {
        const next = ready.shift()
        if (next !== undefined) {
          from.resume() // the next block gathers while this one is worked on
          yield next
          continue
        }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (end.error) throw end.error
      if (filled > 0 && filled < block.length) yield block.subarray(0, filled)
    },
  }
}

import { BackupError } from '../backup-error.js'
import { type ByteStream, MiB } from '../byte-stream.js'
import { giveBack, lend } from './lent-block.js'

/** How far {@link readAhead} reads. */
export interface ReadAhead {
  /** Bytes of a block; the last may be smaller. At least 1; default 1 MiB. */
  readonly blockBytes?: number
  /** Blocks that wait for the reader. At least 1; default 3. Beside them are the one it has and the one being filled. */
  readonly blocks?: number
}

/**
 * The same bytes in blocks, read while the reader is still busy with earlier ones. For a reader that comes in bursts,
 * and waits for whatever it does not find ready: a database that has run one statement wants the next whole.
 *
 * Blocks that are given back are filled again. A reader that stops early waits until the source has let go.
 *
 * @throws {BackupError} `internal` for sizes below 1; what the source throws, after the blocks that were full by then.
 */
export async function* readAhead(
  source: ByteStream,
  { blockBytes = MiB, blocks = 3 }: ReadAhead = {},
): AsyncGenerator<Uint8Array> {
  if (!(blockBytes >= 1 && blocks >= 1)) {
    throw new BackupError('internal', {
      message: `Nothing can be read ahead in ${blocks} blocks of ${blockBytes} bytes`,
    })
  }
  const free: Buffer<ArrayBuffer>[] = []
  const full: Buffer<ArrayBuffer>[] = []
  let stopped = false
  let end: { readonly error?: unknown } | undefined
  let wakeReader = (): void => {}
  let wakeFiller = (): void => {}

  const pass = async (block: Buffer<ArrayBuffer>): Promise<void> => {
    full.push(lend(block, (returned) => free.push(returned)))
    wakeReader()
    while (full.length >= blocks && !stopped) {
      await new Promise<void>((resolve) => {
        wakeFiller = resolve
      })
    }
  }
  const fill = async (): Promise<void> => {
    let block = Buffer.allocUnsafeSlow(blockBytes)
    let filled = 0
    for await (const chunk of source) {
      for (let at = 0; at < chunk.byteLength && !stopped; ) {
        const piece = chunk.subarray(at, at + blockBytes - filled)
        block.set(piece, filled)
        at += piece.byteLength
        filled += piece.byteLength
        if (filled < blockBytes) continue
        await pass(block)
        block = free.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
        filled = 0
      }
      if (stopped) return
      giveBack(chunk)
    }
    if (filled > 0) await pass(block.subarray(0, filled))
  }

  const filling = fill().then(
    () => {
      end = {}
    },
    (error: unknown) => {
      end = { error }
    },
  )
  filling.then(() => wakeReader())
  try {
    for (;;) {
      const block = full.shift()
      if (block !== undefined) {
        wakeFiller()
        yield block
      } else if (end === undefined) {
        await new Promise<void>((resolve) => {
          wakeReader = resolve
        })
      } else if ('error' in end) {
        throw end.error
      } else {
        return
      }
    }
  } finally {
    stopped = true
    wakeFiller()
    await filling
  }
}

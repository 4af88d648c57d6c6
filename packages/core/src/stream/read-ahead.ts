import { type ByteStream, MiB } from '../byte-stream.js'

/** How far {@link readAhead} reads. */
export interface ReadAhead {
  /** Bytes of a block; the last may be smaller. Default 1 MiB. */
  readonly blockBytes?: number
  /** Blocks in memory, the one that the reader works on among them. Default 4. */
  readonly blocks?: number
}

/**
 * The same bytes in blocks, read while the reader is still busy with earlier ones. For a reader that comes in bursts,
 * and waits for whatever it does not find ready: a database that has run one statement wants the next whole.
 */
export async function* readAhead(
  source: ByteStream,
  { blockBytes = MiB, blocks = 4 }: ReadAhead = {},
): AsyncGenerator<Uint8Array> {
  const free: Buffer[] = []
  const full: Buffer[] = []
  let made = 0
  let stopped = false
  let end: { readonly error?: unknown } | undefined
  let wakeReader = (): void => {}
  let wakeFiller = (): void => {}

  const emptyBlock = async (): Promise<Buffer> => {
    if (free.length === 0 && made < blocks) {
      made++
      return Buffer.allocUnsafeSlow(blockBytes)
    }
    while (free.length === 0 && !stopped) {
      await new Promise<void>((resolve) => {
        wakeFiller = resolve
      })
    }
    return free.pop() ?? Buffer.alloc(0)
  }
  const pass = (block: Buffer): void => {
    full.push(block)
    wakeReader()
  }
  const fill = async (): Promise<void> => {
    let block = await emptyBlock()
    let filled = 0
    for await (const chunk of source) {
      for (let at = 0; at < chunk.byteLength && !stopped; ) {
        const piece = chunk.subarray(at, at + block.length - filled)
        block.set(piece, filled)
        at += piece.byteLength
        filled += piece.byteLength
        if (filled < block.length) continue
        pass(block)
        block = await emptyBlock()
        filled = 0
      }
      if (stopped) return
    }
    if (filled > 0) pass(block.subarray(0, filled))
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
        yield block
        free.push(block)
        wakeFiller()
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

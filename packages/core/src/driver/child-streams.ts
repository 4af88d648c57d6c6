import { finished, type Readable, type Writable } from 'node:stream'
import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import { createInterruptible, type Interruptible } from '../stream/interruptible.js'
import { giveBack } from '../stream/lent-block.js'
import type { BlockPipe } from './block-pipe.js'
import type { Child, ChildExit } from './child.js'
import { keepUnread, killAndWait } from './child-process.js'
import { readyBlocks } from './ready-blocks.js'

/** How {@link readFromChild} cuts the output. */
export interface ReadOptions {
  /** Small reads are joined into blocks of this many bytes. Default: chunks as they come. */
  readonly blockBytes?: number
  /** The pipe whose other end is the child's output, when the child was started into one; its blocks count then. */
  readonly from?: BlockPipe | undefined
}

/**
 * The standard output of a child as a stream that keeps the law: it ends only after the child has ended well, and
 * throws what `done` rejects with otherwise. A reader that stops early kills the child.
 */
export async function* readFromChild(child: Child, { blockBytes, from }: ReadOptions = {}): AsyncGenerator<Uint8Array> {
  try {
    yield* from ? from.read(child.touch) : inBlocks(pipeOf(child, child.stdout), blockBytes, child.touch)
    await child.done
  } catch (error) {
    child.kill(error)
    await child.done // a child that failed has the better explanation
    throw error
  } finally {
    await killAndWait(child)
  }
}

/** What becomes of a source that a child did not want to its end. */
export interface WriteOptions {
  /**
   * `read` (default): read to its end all the same, so that damage in it is found. `drop`: given back, for a child
   * that only looks at the beginning.
   */
  readonly rest?: 'read' | 'drop'
}

/**
 * Feeds a child until the source ends, closes its input, and waits for its end.
 *
 * When the source throws, the child is killed and gone before its input is closed (a client that sees the end of its
 * input commits what it has), and the source's error is rethrown.
 *
 * @throws What `child.done` rejects with, when the child ends before the source does.
 */
export async function writeToChild(
  child: Child,
  source: ByteStream,
  { rest = 'read' }: WriteOptions = {},
): Promise<ChildExit> {
  const stdin = pipeOf(child, child.stdin)
  const { until } = untilGone(child, stdin)
  const chunks = source[Symbol.asyncIterator]()
  let next = chunks.next()
  try {
    for (let taken = await until(next); !taken.done; taken = await until(next)) {
      child.touch()
      await until(written(stdin, taken.value))
      giveBack(taken.value)
      next = chunks.next()
    }
  } catch (error) {
    if (error !== gone) {
      await killAndWait(child, error)
      throw error
    }
    return await afterChild(child, chunks, next, rest)
  }
  stdin.end()
  return await child.done
}

/** Settles when the pipe has taken a chunk whole: until then its memory is read. Never when it breaks: the child says why. */
function written(stdin: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    stdin.write(chunk, (error) => {
      if (!error) resolve()
    })
  })
}

/** The child wants no more: because it failed, or because it has what it needs. */
async function afterChild(
  child: Child,
  chunks: AsyncIterator<Uint8Array>,
  pending: Promise<IteratorResult<Uint8Array>>,
  rest: 'read' | 'drop',
): Promise<ChildExit> {
  const letGo = (): void => {
    pending.catch(() => {})
    chunks.return?.().catch(() => {}) // a source that hangs would hold us up
  }
  const exit = await child.done.catch((error) => {
    letGo()
    throw error
  })
  if (rest === 'drop') letGo()
  else for (let next = pending; !(await next).done; next = chunks.next());
  return exit
}

const gone = Symbol('the child takes no more')

/** Work that ends with the child, or with its input. */
function untilGone(child: Child, stdin: Writable): Interruptible {
  const work = createInterruptible()
  const onGone = (): void => work.interrupt(gone)
  child.done.then(onGone, onGone)
  finished(stdin, { readable: false }, onGone)
  return work
}

/**
 * What a readable yields, in blocks of `blockBytes`, or as it comes when there is none. By events rather than the
 * readable's own iterator, which costs too much for each of many small reads.
 */
function inBlocks(from: Readable, blockBytes: number | undefined, onBytes: () => void): AsyncGenerator<Uint8Array> {
  let block = Buffer.alloc(0)
  let filled = 0
  const blocks = readyBlocks(() => (filled > 0 && filled < block.length ? block.subarray(0, filled) : undefined))

  const fill = (chunk: Buffer, size: number): void => {
    for (let read = 0; read < chunk.length; ) {
      if (filled === block.length) block = Buffer.allocUnsafe(size)
      filled %= size
      const copied = chunk.copy(block, filled, read)
      read += copied
      filled += copied
      if (filled === size) blocks.add(block)
    }
  }
  from.on('data', (chunk: Buffer) => {
    onBytes()
    if (blockBytes === undefined) blocks.add(chunk)
    else fill(chunk, blockBytes)
    if (blocks.waiting > 0) from.pause()
  })
  from.off('readable', keepUnread)
  return blocks.drain(from)
}

function pipeOf<Stream>(child: Child, stream: Stream | undefined): Stream {
  if (stream !== undefined) return stream
  throw new BackupError('internal', { message: `${child.name} was started without the pipe that is used here` })
}

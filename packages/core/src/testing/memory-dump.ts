import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { DumpPart, DumpReport, DumpSession } from '../driver/driver.js'
import type { Inventory } from '../layout/manifest.js'
import type { RunContext } from '../run-context.js'

/** A part of a dump that is in memory. */
export interface MemoryPart {
  readonly name: string
  readonly trailer?: string
  readonly body: ByteStream
}

/** What is said of a {@link memoryDump} once its parts were read. */
export interface MemoryDumpEnd {
  /** The report; an error for a dump program that failed after its output. */
  readonly end: DumpReport | Error
  readonly inventory?: Inventory | undefined
}

/** A dump of parts that are there already. Like a program's, it ends well only when they were read to their end. */
export function memoryDump(
  given: readonly MemoryPart[],
  { end, inventory }: MemoryDumpEnd,
  ctx: RunContext,
): DumpSession {
  const done = Promise.withResolvers<DumpReport>()
  done.promise.catch(() => {}) // awaited by the engine, after the parts
  let left = given.length
  const partRead = (): void => {
    left--
    if (left > 0) return
    if (end instanceof Error) done.reject(end)
    else done.resolve(end)
  }

  async function* read(body: ByteStream): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        ctx.signal.throwIfAborted()
        yield chunk
      }
    } catch (error) {
      done.reject(error)
      throw error
    }
    partRead()
  }

  function toPart({ name, trailer, body }: MemoryPart): DumpPart {
    let taken = false
    return {
      name,
      mediaType: 'application/octet-stream',
      ...(trailer !== undefined && { trailer }),
      take() {
        if (taken) throw new BackupError('internal', { message: `The part ${name} was taken twice` })
        taken = true
        return { kind: 'stream', body: read(body) }
      },
    }
  }

  async function* parts(): AsyncGenerator<DumpPart> {
    for (const part of given) yield toPart(part)
    if (given.length === 0) partRead()
  }

  return {
    parts: parts(),
    done: done.promise,
    ...(inventory && { inventory: async () => inventory }),
    async [Symbol.asyncDispose]() {
      done.reject(new BackupError('dump-failed', { message: 'The dump was not read to its end' }))
    },
  }
}

import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { Driver, DumpPart } from '../driver/driver.js'
import { memoryAsides } from './memory-asides.js'
import type { MemoryDatabase } from './memory-database.js'
import { memorySections } from './memory-sections.js'

export type { MemoryDatabase } from './memory-database.js'

/** Options of {@link memoryDriver}. */
export interface MemoryDriverOptions {
  /** Default `memory`. */
  readonly name?: string
  readonly database: MemoryDatabase
  /** Makes the parts of a dump; default: one part named `dump` with the content in chunks of 64 KiB. */
  readonly parts?: () => readonly { readonly name: string; readonly trailer?: string; readonly body: ByteStream }[]
  /** What `DumpSession.done` rejects with: a dump program that failed after its output. */
  readonly doneError?: Error
  readonly warnings?: readonly string[]
  /** Objects that the user may not read. */
  readonly unreadable?: readonly string[]
}

/** A driver without a server, for tests of what uses drivers: a dump is the content, a restore replaces it. */
export function memoryDriver(options: MemoryDriverOptions): Driver {
  const { database, name = 'memory' } = options
  const { beside } = database
  const bind = (other: string, content: MemoryDatabase): Driver => memoryDriver({ name: other, database: content })
  const whole = (): readonly { name: string; body: ByteStream }[] => [
    { name: 'dump', body: chunksOf(database.content) },
  ]
  return {
    engine: 'memory',
    display: `memory:${name}`,
    database: name,
    ...(beside && memoryAsides({ name, database, beside, bind })),
    ...memorySections(),

    async probe(ctx) {
      ctx.signal.throwIfAborted()
      const { content } = database
      if (content === undefined) return { version: '1', superuser: true }
      const size = {
        sizeBytes: content.byteLength,
        tables: content.byteLength > 0 ? 1 : 0,
        empty: content.byteLength === 0,
      }
      const rest = { encoding: 'UTF8', extensions: [], unreadable: options.unreadable ?? [], connections: 0 }
      return { version: '1', superuser: true, database: { ...size, ...rest } }
    },

    async dump(request, ctx) {
      ctx.signal.throwIfAborted()
      const report = {
        serverVersion: '1',
        tools: { memory: '1' },
        warnings: options.warnings ?? [],
        options: {},
        recover: 'cat',
      }
      const done = options.doneError ? Promise.reject(options.doneError) : Promise.resolve(report)
      done.catch(() => {}) // awaited by the engine, after the parts
      const parts = (options.parts ?? whole)().map(
        (part): DumpPart => ({
          name: part.name,
          mediaType: 'application/octet-stream',
          ...('trailer' in part && part.trailer !== undefined && { trailer: part.trailer }),
          take: () => ({ kind: 'stream', body: part.body }),
        }),
      )
      const rows = database.content?.byteLength ?? 0
      return {
        parts: sequence(parts),
        done,
        ...(request.inventory !== 'none' && {
          inventory: async () => ({ level: 'counts', exact: true, tables: [{ name: 'bytes', rows }] }),
        }),
        async [Symbol.asyncDispose]() {},
      }
    },

    async restore(from, request, ctx) {
      const before = database.content
      if (request.mode === 'create' && before !== undefined && before.byteLength > 0) {
        throw new BackupError('target-not-empty', { message: `${name} is not empty` })
      }
      const chunks: Uint8Array[] = request.mode === 'append' && before ? [before] : []
      for await (const chunk of from.open('dump', ctx)) chunks.push(chunk)
      database.content = Buffer.concat(chunks)
      return { created: before === undefined, warnings: [], tools: { memory: '1' } }
    },
  }
}

async function* sequence<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}

async function* chunksOf(content: Uint8Array = new Uint8Array()): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.byteLength; start += 65_536) yield content.subarray(start, start + 65_536)
}

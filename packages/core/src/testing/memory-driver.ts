import { createHash } from 'node:crypto'
import { BackupError } from '../backup-error.js'
import type { Driver, InventoryLevel } from '../driver/driver.js'
import type { Inventory } from '../layout/manifest.js'
import { memoryAsides } from './memory-asides.js'
import type { MemoryDatabase } from './memory-database.js'
import { type MemoryPart, memoryDump } from './memory-dump.js'
import { memorySections } from './memory-sections.js'

export type { MemoryDatabase } from './memory-database.js'

/** Options of {@link memoryDriver}. */
export interface MemoryDriverOptions {
  /** Default `memory`. */
  readonly name?: string
  readonly database: MemoryDatabase
  /** Makes the parts of a dump; default: one part named `dump` with the content in chunks of 64 KiB. */
  readonly parts?: () => readonly MemoryPart[]
  /** What `DumpSession.done` rejects with: a dump program that failed after its output. */
  readonly doneError?: Error
  readonly warnings?: readonly string[]
  /** What a dump notes of how it was made; default: nothing. */
  readonly noted?: Readonly<Record<string, unknown>>
  /** Objects that the user may not read. */
  readonly unreadable?: readonly string[]
}

const version = '1.0'

/** A driver without a server, for tests of what uses drivers: a dump is the content, a restore replaces it. */
export function memoryDriver(options: MemoryDriverOptions): Driver {
  const { database, name = 'memory' } = options
  const { beside } = database
  const bind = (other: string, content: MemoryDatabase): Driver => memoryDriver({ name: other, database: content })
  return {
    engine: 'memory',
    display: `memory:${name}`,
    database: name,
    ...(beside && memoryAsides({ name, database, beside, bind })),
    ...memorySections(),

    async probe(ctx) {
      ctx.signal.throwIfAborted()
      const { content } = database
      if (content === undefined) return { version, superuser: true }
      const size = {
        sizeBytes: content.byteLength,
        tables: content.byteLength > 0 ? 1 : 0,
        empty: content.byteLength === 0,
      }
      const rest = { encoding: 'UTF8', extensions: [], unreadable: options.unreadable ?? [], connections: 0 }
      return { version, superuser: true, database: { ...size, ...rest } }
    },

    async dump(request, ctx) {
      ctx.signal.throwIfAborted()
      if (database.content === undefined) {
        throw new BackupError('source-missing', { message: `There is no database ${name}` })
      }
      const report = {
        serverVersion: version,
        tools: { memory: '1' },
        warnings: options.warnings ?? [],
        options: options.noted ?? {},
        recover: 'cat',
      }
      const parts = options.parts?.() ?? [{ name: 'dump', body: chunksOf(database.content) }]
      const inventory = inventoryOf(database.content, request.inventory ?? 'none')
      return memoryDump(parts, { end: options.doneError ?? report, inventory }, ctx)
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

/** Every byte is a row of the one table. */
function inventoryOf(content: Uint8Array, level: InventoryLevel): Inventory | undefined {
  if (level === 'none') return undefined
  const checksum = level === 'checksums' && { checksum: createHash('sha256').update(content).digest('hex') }
  return { level, exact: true, tables: [{ name: 'bytes', rows: content.byteLength, ...checksum }] }
}

async function* chunksOf(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.byteLength; start += 65_536) yield content.subarray(start, start + 65_536)
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import {
  BackupError,
  coalesce,
  type DumpPart,
  type DumpReport,
  type DumpRequest,
  type DumpSession,
  type InventoryTable,
  MiB,
  type RunContext,
} from '@holdfast/core'
import { bytesOf, engineVersion, fileOf, tablesOf } from './tables.js'

/** How a whole dump ends. Rows are JSON, so no row can look like it. */
export const trailer = '#end of the dump\n'

/** Bytes: `#table "name"` before the rows of each table, and the trailer. */
export async function dump(directory: string, request: DumpRequest, ctx: RunContext): Promise<DumpSession> {
  ctx.signal.throwIfAborted()
  // Whatever is wrong is said before anything starts.
  if (request.tables || request.excludeTables || (request.sections ?? 'all') !== 'all') {
    throw new BackupError('config-invalid', { message: 'This engine is dumped as a whole' })
  }
  const tables = await tablesOf(directory)
  if (!tables) throw new BackupError('source-missing', { message: `There is no database ${directory}` })
  const expectedBytes = await bytesOf(directory, tables)

  const level = request.inventory ?? 'none'
  const inventory: InventoryTable[] = []
  const { promise: done, resolve, reject } = Promise.withResolvers<DumpReport>()
  done.catch(() => {}) // the engine awaits it after the parts

  // The law of streams: it ends only if it was whole, and throws else.
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for (const table of tables ?? []) {
        yield Buffer.from(`#table ${JSON.stringify(table)}\n`)
        const hash = createHash('sha256')
        let rows = 0
        for await (const line of createInterface({ input: createReadStream(fileOf(directory, table)) })) {
          ctx.signal.throwIfAborted()
          hash.update(`${line}\n`)
          rows++
          yield Buffer.from(`${line}\n`)
        }
        inventory.push({ name: table, rows, ...(level === 'checksums' && { checksum: hash.digest('hex') }) })
      }
      yield Buffer.from(trailer)
      resolve({
        serverVersion: engineVersion,
        tools: {},
        warnings: [],
        options: {},
        recover: 'cat > dump.jsonl', // the shell line that restores the plain bytes without Holdfast
      })
    } catch (error) {
      reject(error)
      throw error
    }
  }

  async function* parts(): AsyncGenerator<DumpPart> {
    let taken = false
    yield {
      name: 'dump',
      mediaType: 'application/x-ndjson',
      trailer: trailer.trim(),
      expectedBytes,
      take() {
        if (taken) throw new BackupError('internal', { message: 'The dump was taken twice' })
        taken = true
        // Few large chunks: every stage of the pipeline pays for each of them. What programs write goes
        // through `programDump` of core instead, as in the drivers of PostgreSQL, MySQL and SQLite.
        return { kind: 'stream', body: coalesce(body(), MiB) }
      },
    }
  }

  return {
    parts: parts(),
    done,
    ...(level !== 'none' && { inventory: async () => ({ level, exact: true, tables: inventory }) }),
    async [Symbol.asyncDispose]() {
      // What still runs would be ended here, and what was set up removed.
      reject(new BackupError('aborted', { message: 'The dump was given up before its end' }))
    },
  }
}

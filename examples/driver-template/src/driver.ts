import { basename, resolve } from 'node:path'
import { BackupError, type Driver, type DriverPlugin, definePlugin } from '@holdfast/core'
import * as z from 'zod'
import { dump, trailer } from './dump.js'
import { restore } from './restore.js'
import { bytesOf, engineVersion, tablesOf } from './tables.js'

/** Options of the driver, as a user may write them. */
export interface JsonLinesOptions {
  /** The directory that is the database. */
  readonly path: string
}

const options: z.ZodType<JsonLinesOptions, JsonLinesOptions> = z.strictObject({
  path: z.string().min(1).describe('The directory that is the database'),
})

/** A driver, bound to one database. */
export function jsonLines({ path }: JsonLinesOptions): Driver {
  const directory = resolve(path)
  return {
    engine: 'jsonl', // stands in manifests: never rename it
    display: `jsonl:${directory}`, // never a password
    database: basename(directory),

    async probe(ctx) {
      ctx.signal.throwIfAborted()
      const tables = await tablesOf(directory)
      const info = { encoding: 'UTF8', extensions: [], unreadable: [], connections: 0 }
      return {
        version: engineVersion,
        superuser: true,
        // A database that is not there is no error here.
        ...(tables && {
          database: {
            ...info,
            sizeBytes: await bytesOf(directory, tables),
            tables: tables.length,
            empty: tables.length === 0,
          },
        }),
      }
    },

    dump: (request, ctx) => dump(directory, request, ctx),
    restore: (from, request, ctx) => restore(directory, from, request, ctx),

    /** Optional: reads a dump to its end without a server. */
    async check(_part, body) {
      let tail = Buffer.alloc(0)
      for await (const chunk of body) tail = Buffer.concat([tail, chunk]).subarray(-trailer.length)
      if (tail.toString() !== trailer) throw new BackupError('corrupt', { message: 'The dump lacks its end' })
    },
  }
}

/** The driver for programs that read configuration: `jsonl:./data`. */
export const jsonLinesPlugin: DriverPlugin<typeof options> = definePlugin({
  kind: 'driver',
  id: 'jsonl',
  title: 'JSON lines',
  schemes: ['jsonl'],
  options,
  fromUrl: (url): JsonLinesOptions => ({ path: url.slice('jsonl:'.length) }),
  create: jsonLines,
})

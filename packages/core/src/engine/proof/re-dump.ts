import * as z from 'zod'
import { BackupError } from '../../backup-error.js'
import type { ByteStream } from '../../byte-stream.js'
import type { Driver, DumpPart, DumpRequest } from '../../driver/driver.js'
import type { Inventory, Manifest } from '../../layout/manifest.js'
import type { RunContext } from '../../run-context.js'

const optionsSchema = z.object({
  sections: z.enum(['all', 'schema', 'data']).optional().catch(undefined),
  tables: z.array(z.string()).optional().catch(undefined),
  excludeTables: z.array(z.string()).optional().catch(undefined),
  format: z.string().optional().catch(undefined),
})

/** How to dump a restored database so that the dump can be compared with that of the backup. */
export function reDumpRequest({ options }: Manifest): DumpRequest {
  const known = optionsSchema.parse(options)
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}

/** Reads one part of a dump. It may stop where it has seen enough. */
type PartReader<Result> = (part: DumpPart, body: ByteStream) => Promise<Result>

/** Dumps a database and gives one part of the dump to `use`; parts before it are read and dropped. */
export async function withPart<Result>(
  driver: Driver,
  request: DumpRequest,
  name: string,
  use: PartReader<Result>,
  ctx: RunContext,
): Promise<Result> {
  await using session = await driver.dump(request, ctx)
  session.done.catch(() => {}) // the part is all that is wanted
  for await (const part of session.parts) {
    if (part.name === name) return await use(part, bodyOf(part))
    await readAway(part)
  }
  throw noSuchPart(driver, name)
}

/**
 * Dumps a database to the end, and gives one part of the dump to `use`, which has to read it to its end; further parts
 * are read and dropped.
 */
export async function withDump<Result>(
  driver: Driver,
  request: DumpRequest,
  name: string,
  use: PartReader<Result>,
  ctx: RunContext,
): Promise<{ readonly result: Result; readonly inventory: Inventory | undefined }> {
  await using session = await driver.dump(request, ctx)
  session.done.catch(() => {}) // seen below, unless reading fails first
  let found: { readonly result: Result } | undefined
  for await (const part of session.parts) {
    if (part.name === name) found = { result: await use(part, bodyOf(part)) }
    else await readAway(part)
  }
  if (!found) throw noSuchPart(driver, name)
  await session.done
  return { ...found, inventory: await session.inventory?.() }
}

function bodyOf(part: DumpPart): ByteStream {
  const taken = part.take()
  return taken.kind === 'stream' ? taken.body : taken.output.read()
}

async function readAway(part: DumpPart): Promise<void> {
  for await (const _ of bodyOf(part));
}

function noSuchPart({ display }: Driver, name: string): BackupError {
  return new BackupError('internal', { message: `The dump of ${display} has no part ${name}` })
}

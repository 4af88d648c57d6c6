import * as z from 'zod'
import { BackupError } from '../../backup-error.js'
import type { ByteStream } from '../../byte-stream.js'
import type { Driver, DumpPart, DumpRequest, DumpSession } from '../../driver/driver.js'
import type { Manifest } from '../../layout/manifest.js'
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

/**
 * Dumps a database and gives one part of the dump to `use`; further parts are read and dropped.
 *
 * @param use - Where it reads the part to its end, the dump has ended well before this resolves.
 */
export async function withDump<Result>(
  driver: Driver,
  request: DumpRequest,
  name: string,
  use: (part: DumpPart, body: ByteStream, session: DumpSession) => Promise<Result>,
  ctx: RunContext,
): Promise<Result> {
  await using session = await driver.dump(request, ctx)
  session.done.catch(() => {}) // seen below, or not asked for where the dump is not read to its end
  let found: { readonly result: Result } | undefined
  for await (const part of session.parts) {
    const taken = part.take()
    const body = taken.kind === 'stream' ? taken.body : taken.output.read()
    if (part.name === name) found = { result: await use(part, body, session) }
    else for await (const _ of body);
  }
  if (found) return found.result
  throw new BackupError('internal', { message: `The dump of ${driver.display} has no part ${name}` })
}

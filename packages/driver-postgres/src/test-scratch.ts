import type { Driver, Manifest, RunContext, ScratchDatabase } from '@holdfast/core'
import * as z from 'zod'
import type { Connection } from './connection.js'
import { type DatabaseProperties, propertiesFrom } from './database-properties.js'
import type { PostgresSettings } from './options.js'
import { readRendering, renderingFrom } from './rendering.js'
import type { BoundDatabase } from './restore-job.js'
import { makeScratch } from './scratch.js'
import { withSession } from './session.js'
import { applyProperties } from './target.js'

/**
 * A scratch for a test restore: with the encoding, the locale and the settings that the backup was taken under, and a
 * driver that dumps it as the backup was dumped.
 */
export async function testScratch(
  bound: BoundDatabase,
  bind: (bound: BoundDatabase) => Driver,
  manifest: Manifest,
  ctx: RunContext,
): Promise<ScratchDatabase> {
  const like = propertiesFrom(manifest.options)
  const made = await makeScratch(bound, ctx, like)
  try {
    if (like) await renderAlike(made.connection, like, manifest, ctx)
  } catch (error) {
    await made[Symbol.asyncDispose]()
    throw error
  }
  const settings = { ...bound.settings, ...dumpedWith(manifest) }
  return {
    driver: bind({ settings, connection: made.connection, disposable: true }),
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  }
}

const dumpOptions = z.object({
  noOwner: z.boolean().optional().catch(undefined),
  noPrivileges: z.boolean().optional().catch(undefined),
  largeObjects: z.boolean().optional().catch(undefined),
  schemas: z.array(z.string()).optional().catch(undefined),
  excludeSchemas: z.array(z.string()).optional().catch(undefined),
  clean: z.boolean().optional().catch(undefined),
  ifExists: z.boolean().optional().catch(undefined),
})

/** The options that the driver had when the backup was taken; the rest of a dump is in the request. */
function dumpedWith({ options }: Manifest): Partial<PostgresSettings> {
  const { noOwner, noPrivileges, largeObjects, schemas, excludeSchemas, clean, ifExists } = dumpOptions.parse(options)
  const given = { noOwner, noPrivileges, largeObjects, schemas, excludeSchemas, clean, ifExists }
  return { ...given, globals: false, create: false }
}

/** Settings of the server or the role that differ from the source's are overruled for the scratch. */
async function renderAlike(
  connection: Connection,
  like: DatabaseProperties,
  { options }: Manifest,
  ctx: RunContext,
): Promise<void> {
  await withSession(connection, ctx, async (session) => {
    const now = await readRendering(session)
    const wanted = Object.entries(renderingFrom(options)).filter(([name, value]) => now[name] !== value)
    const settings = wanted.map(([name, value]) => ({ name, value }))
    const alike = { ...like, settings, comment: undefined, grants: undefined, connectionLimit: -1 }
    const lost = await applyProperties(session, connection.database, alike, { noOwner: true, noPrivileges: true })
    for (const message of lost) ctx.log.warn(message)
  })
}

import {
  BackupError,
  messageOf,
  type RestoreReport,
  type RestoreRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { displayOf } from './connection.js'
import { type Filling, fill } from './fill.js'
import { intoEmpty } from './into-empty.js'
import { refusePending, settleLeftovers } from './leftovers.js'
import { otherFlavourWarnings } from './other-flavour.js'
import { refuse, restoreWarnings } from './preflight.js'
import { trackProgress } from './progress.js'
import { quoteQualified } from './quoting.js'
import { rightsFindings } from './restore-rights.js'
import { tablesOf } from './schema-objects.js'
import { dropSchema, propertiesFrom } from './schema-properties.js'
import { makeScratch } from './scratch.js'
import { openSession, schemaExists, withSession } from './session.js'
import { shielded } from './shielded.js'
import { chooseTool } from './tools.js'

/** {@link Driver.restore} for MySQL and MariaDB. */
export async function restore(
  bound: BoundDatabase,
  from: RestoreSource,
  request: RestoreRequest,
  ctx: RunContext,
): Promise<RestoreReport> {
  refuseImpossible(from, request)
  const { connection, settings } = bound
  await using session = await openSession(connection, ctx, 'none')
  const tool = await chooseTool('client', session.server, settings.binDir)
  const { done, unbelieved } = await settleLeftovers(session, bound, ctx)
  refusePending(unbelieved)
  const warnings = [...done, ...otherFlavourWarnings(tool, session.server), ...restoreWarnings(session, from, request)]
  const progress = trackProgress()
  const filling = { bound, from, request, tool, warnings, enabledEvents: new Set<string>(), progress, ctx }
  const isInPlace = request.mode !== 'create'
  if (isInPlace && !(await schemaExists(session, connection.database))) throw noTarget(bound)
  refuse((await rightsFindings(session, connection.database, from, request, ctx)).problems)
  if (isInPlace) await staged(filling)
  const created = !isInPlace && (await intoEmpty(filling))
  return { created, warnings, tools: { [tool.name]: tool.version } }
}

/**
 * Into a scratch first, whatever the mode: statements about schemas cannot be rolled back. When the dump has proved
 * whole, tables change places at once, and rows are added in one transaction that can still undo that.
 */
async function staged(filling: Filling): Promise<void> {
  const { bound, from, request, ctx, warnings } = filling
  const { connection } = bound
  const { mode, terminateConnections = false } = request
  await using scratch = await makeScratch(bound, propertiesFrom(from.manifest.options), ctx)
  const scratchFilling = {
    ...filling,
    bound: scratch.bound,
    enabledEvents: scratch.bound.scratch?.enabledEvents ?? new Set<string>(),
  }
  if (request.sections === 'data' || from.manifest.options.sections === 'data')
    await copyStructure(bound, scratch.bound, ctx)
  await fill(scratchFilling)
  ctx.signal.throwIfAborted()
  const extent = mode === 'clean' ? 'same' : 'missing'
  const { oldName, warnings: more } = await scratch.exchange({ extent, terminateConnections }, ctx)
  warnings.push(...more)
  if (oldName === undefined) return
  try {
    await withSession(connection, shielded(ctx), (session) => dropSchema(session, oldName), 'none')
  } catch (error) {
    warnings.push(`What was replaced is still there as ${oldName}: ${messageOf(error)}`)
  }
}

/** A dump of rows alone needs tables to come into: those of the target, without what it holds. */
async function copyStructure(bound: BoundDatabase, scratch: BoundDatabase, ctx: RunContext): Promise<void> {
  const from = bound.connection.database
  const into = scratch.connection.database
  await withSession(scratch.connection, ctx, async (session) => {
    for (const { name, kind } of await tablesOf(session, from)) {
      if (kind !== 'table') continue
      await session.query(`create table ${quoteQualified(into, name)} like ${quoteQualified(from, name)}`)
    }
  })
}

/** Combinations that cannot be restored, refused before a server is asked. */
function refuseImpossible({ manifest }: RestoreSource, { mode, sections = 'all' }: RestoreRequest): void {
  const refuse = (message: string, hint: string): never => {
    throw new BackupError('restore-refused', { message, hint })
  }
  const onlyRows = sections === 'data' || manifest.options.sections === 'data'
  if (onlyRows && mode !== 'append') {
    refuse(`Data alone cannot be restored with mode ${mode}`, 'Restore data into tables that exist, with mode append.')
  }
}

function noTarget({ connection }: BoundDatabase): BackupError {
  return new BackupError('source-missing', {
    message: `There is no database ${displayOf(connection)} to restore into in place`,
    hint: 'Restore with mode create, which makes it.',
  })
}

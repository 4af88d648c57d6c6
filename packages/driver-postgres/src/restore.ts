import {
  BackupError,
  type RestoreReport,
  type RestoreRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import { displayOf } from './connection.js'
import { type DatabaseProperties, propertiesFrom, readProperties } from './database-properties.js'
import { fill } from './fill.js'
import { restoreGlobals } from './globals.js'
import { lockRoom, locksNeeded } from './lock-room.js'
import { checkConnectable, type Preflight, preflight, requireOwner } from './preflight.js'
import { isEmpty } from './probe.js'
import { restoreInPlace } from './restore-in-place.js'
import { type BoundDatabase, openJob, type RestoreJob } from './restore-job.js'
import { leftovers, makeScratch } from './scratch.js'
import { openMaintenance, type Session, withSession } from './session.js'
import { shielded } from './shielded.js'
import { selectTables } from './table-selection.js'
import { applyProperties, databaseExists, dropDatabase, refuseIfInUse } from './target.js'

/** {@link Driver.restore} for PostgreSQL. */
export async function restore(
  bound: BoundDatabase,
  from: RestoreSource,
  request: RestoreRequest,
  ctx: RunContext,
): Promise<RestoreReport> {
  const job = await openJob(bound.settings, from, request, ctx)
  refuseImpossible(job)
  await using session = await openMaintenance(bound.connection, bound.settings.maintenanceDatabase, ctx)
  const exists = await databaseExists(session, bound.connection.database)
  job.warnings.push(...(await checkConnectable(session, bound.connection.database, request.mode)))
  const made = exists ? undefined : propertiesFrom(from.manifest.options)
  const found = await preflight(job, session, made)
  job.warnings.push(...(await leftovers(session, bound.connection.database)))
  const created = await inMode({ bound, job, session, found, exists })
  return { created, warnings: job.warnings, tools: job.tools }
}

interface Situation {
  readonly bound: BoundDatabase
  readonly job: RestoreJob
  /** In the maintenance database. */
  readonly session: Session
  readonly found: Preflight
  /** Whether the target database exists. */
  readonly exists: boolean
}

/** @returns Whether the database was made. */
async function inMode(situation: Situation): Promise<boolean> {
  const { bound, job, session, found, exists } = situation
  const { mode } = job.request
  if (!exists && (mode === 'clean' || mode === 'append')) throw noTarget(bound)
  if (mode === 'create' && exists && !(await targetIsEmpty(situation))) throw notEmpty(bound)
  if (mode === 'replace' && exists && !job.request.terminateConnections) {
    await refuseIfInUse(session, bound.connection.database)
  }
  const globals = async (): Promise<void> => {
    if (job.request.globals) await restoreGlobals(job, bound.connection, session, found.server)
  }
  if (mode === 'clean' || mode === 'append') {
    await restoreInPlace(bound, job, found, globals)
    return false
  }
  await globals()
  if (!exists) await intoNew(situation)
  else if (mode === 'create') await intoEmpty(situation)
  else await replaceDatabase(situation)
  return !exists
}

/** What every restore into a database without content has in common. */
function wholeFilling({ bound, job, found }: Situation): Omit<Parameters<typeof fill>[0], 'singleTransaction'> {
  const chosen =
    job.request.tables && job.head ? selectTables(job.head.entries, job.request.tables, new Set()) : undefined
  if (chosen) job.warnings.push(...chosen.warnings)
  const wanted = chosen && new Set([...chosen.owned, ...chosen.needed])
  return {
    job,
    connection: bound.connection,
    target: found.server,
    clean: false,
    ...(wanted && job.head ? { entries: job.head.entries.filter((entry) => wanted.has(entry)) } : {}),
    jobs: job.request.jobs ?? 1,
    noTablespaces: found.noTablespaces,
  }
}

/** Streamed into a database beside the name, which it takes when it is whole: nobody ever sees half of it. */
async function intoNew(situation: Situation): Promise<void> {
  const { bound, job, found } = situation
  const like = propertiesFrom(job.from.manifest.options)
  const filling = wholeFilling(situation)
  await using aside = await makeScratch(bound, job.ctx, like)
  await fill({ ...filling, connection: aside.connection, singleTransaction: false })
  if (like) {
    const { noOwner, noPrivileges } = leave(job)
    const options = { noOwner: noOwner || !found.maySetOwner, noPrivileges }
    // A session of its own: one that was opened before hours of filling may be lost.
    await using session = await openMaintenance(bound.connection, bound.settings.maintenanceDatabase, job.ctx)
    job.warnings.push(...(await applyProperties(session, aside.connection.database, like, options)))
  }
  await aside.takeName(job.ctx)
}

/**
 * Into a database that was there, and empty. It stays whatever happens, so all is one transaction; where the lock
 * table has no room for that, or several connections are to restore, a new database takes its place.
 */
async function intoEmpty(situation: Situation): Promise<void> {
  const { bound, session, found } = situation
  const filling = wholeFilling(situation)
  const needed = locksNeeded(filling.entries ?? found.objects, false)
  const hasRoom = filling.jobs === 1 && needed <= (await lockRoom(session))
  // A scratch needs no transaction, but gains: rows keep their order where the table is made in the same one.
  if (hasRoom || bound.disposable) return await fill({ ...filling, singleTransaction: hasRoom })
  await replaceDatabase(situation)
}

/** A new database is filled aside and takes the name at the end; then the old one goes. */
async function replaceDatabase(situation: Situation): Promise<void> {
  const { bound, job, session } = situation
  const { ctx } = job
  await requireOwner(session, bound.connection.database)
  const like = propertiesFrom(job.from.manifest.options) ?? (await readProperties(session, bound.connection.database))
  const filling = wholeFilling(situation)
  await using aside = await makeScratch(bound, ctx, like satisfies DatabaseProperties | undefined)
  await fill({ ...filling, connection: aside.connection, singleTransaction: false })
  const terminateConnections = job.request.terminateConnections ?? false
  const { oldName } = await aside.swap({ terminateConnections }, ctx)
  await dropQuietly(situation, oldName)
}

/** What is left of a failed restore, or of a replaced database, goes; if it cannot, that is said. */
async function dropQuietly({ bound, job }: Situation, database: string): Promise<void> {
  try {
    const { connection, settings } = bound
    await using session = await openMaintenance(connection, settings.maintenanceDatabase, shielded(job.ctx))
    await dropDatabase(session, database)
  } catch (error) {
    const message = `The database ${database} could not be dropped: ${error instanceof Error ? error.message : error}`
    job.ctx.log.warn(message)
    job.warnings.push(message)
  }
}

async function targetIsEmpty({ bound, job }: Situation): Promise<boolean> {
  return await withSession(bound.connection, job.ctx, isEmpty)
}

function leave({ request }: RestoreJob): { readonly noOwner: boolean; readonly noPrivileges: boolean } {
  return { noOwner: request.noOwner ?? false, noPrivileges: request.noPrivileges ?? false }
}

/** Combinations that no tool can restore, refused before a server is asked. */
function refuseImpossible({ dump, request, from }: RestoreJob): void {
  const refuse = (message: string, hint: string): never => {
    throw new BackupError('restore-refused', { message, hint })
  }
  const { mode, sections = 'all', tables } = request
  if (sections === 'data' && mode !== 'append') {
    refuse(`Data alone cannot be restored with mode ${mode}`, 'Restore data into tables that exist, with mode append.')
  }
  if (mode === 'replace' && (tables || sections !== 'all')) {
    refuse(
      'A part of a backup cannot replace a database: the rest of what the database holds would be lost',
      'Restore the part with mode clean or append, or into another database.',
    )
  }
  if (dump.format === 'custom') return
  if (tables || sections !== 'all') {
    refuse(
      'A plain dump can only be restored whole',
      'Restore it into a new database, and copy from there what you need.',
    )
  }
  if (mode === 'clean' && from.manifest.options.clean !== true) {
    refuse('This plain dump was made without statements that drop objects', 'Restore with mode replace.')
  }
  if (mode === 'append' && from.manifest.options.clean === true) {
    refuse(
      'This plain dump begins with statements that drop objects, which append must not do',
      'Restore it into a new database, or with mode clean.',
    )
  }
}

function notEmpty({ connection }: BoundDatabase): BackupError {
  return new BackupError('target-not-empty', {
    message: `The database ${displayOf(connection)} is not empty`,
    hint: 'Restore into another database, or choose what becomes of this one: replace, clean or append.',
  })
}

function noTarget({ connection }: BoundDatabase): BackupError {
  return new BackupError('source-missing', {
    message: `There is no database ${displayOf(connection)} to restore into in place`,
    hint: 'Restore with mode create, which makes it.',
  })
}

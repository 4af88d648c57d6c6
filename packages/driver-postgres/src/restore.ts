import {
  BackupError,
  type RestoreReport,
  type RestoreRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import type { ArchiveEntry } from './archive.js'
import { leftovers } from './beside.js'
import { displayOf, toDatabase } from './connection.js'
import { type DatabaseProperties, propertiesFrom, readProperties } from './database-properties.js'
import { requireOwner } from './database-rights.js'
import { fillEmpty } from './fill-empty.js'
import type { Filling } from './filling.js'
import { noTarget } from './findings.js'
import { keysToOthers, without } from './foreign-keys.js'
import { restoreGlobals } from './globals.js'
import { lockRoom, locksNeeded } from './lock-room.js'
import { checkConnectable, type Preflight, preflight } from './preflight.js'
import { isEmpty } from './probe.js'
import { refuse } from './problems.js'
import { restoreInPlace } from './restore-in-place.js'
import { type BoundDatabase, openJob, type RestoreJob } from './restore-job.js'
import { refuseImpossible } from './restore-rules.js'
import { makeScratch } from './scratch.js'
import { openMaintenance, type Session, withSession } from './session.js'
import { shielded } from './shielded.js'
import { selectTables } from './table-selection.js'
import { databaseExists, dropDatabase } from './target.js'

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
  refuse(found.problems)
  job.warnings.push(...(await leftovers(session, bound.connection.database, ctx.clock.now())))
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
  const globals = async (): Promise<void> => {
    if (job.request.globals) await restoreGlobals(job, bound.connection, session, found.server)
  }
  if (mode === 'clean' || mode === 'append') {
    await restoreInPlace(bound, job, found, session, globals)
    return false
  }
  await globals()
  if (exists) await intoEmpty(situation)
  else await intoNew(situation)
  return !exists
}

/** What every restore into a database without content has in common. */
function wholeFilling({ bound, job, found }: Situation): Omit<Filling, 'singleTransaction'> {
  const wanted = wantedEntries(job)
  return {
    job,
    connection: bound.connection,
    target: found.server,
    clean: false,
    ...(wanted && { entries: wanted }),
    jobs: job.request.jobs ?? 1,
    noTablespaces: found.noTablespaces,
  }
}

/** What is restored of an archive, where that is not all: the chosen tables, or all that can be there without others. */
function wantedEntries({ head, request, warnings }: RestoreJob): readonly ArchiveEntry[] | undefined {
  if (!head) return undefined
  if (request.tables) {
    const chosen = selectTables(head.entries, request.tables, new Set())
    warnings.push(...chosen.warnings)
    const wanted = new Set([...chosen.owned, ...chosen.needed])
    return head.entries.filter((entry) => wanted.has(entry))
  }
  const others = keysToOthers(head.entries)
  if (others.size === 0) return undefined
  for (const [key, { schema, tag }] of others) {
    warnings.push(`${key.kind} ${key.tag} was left out: it needs ${schema}.${tag}, which the backup does not hold`)
  }
  return without(others.keys(), head.entries)
}

/** Streamed into a database beside the name, which it takes when it is whole: nobody ever sees half of it. */
async function intoNew(situation: Situation): Promise<void> {
  const { bound, job, found } = situation
  const like = propertiesFrom(job.from.manifest.options)
  const filling = wholeFilling(situation)
  await using aside = await makeScratch(bound, job.ctx, like)
  await fillEmpty({ ...filling, connection: aside.connection, singleTransaction: false })
  const { noOwner, noPrivileges } = leave(job)
  const options = { noOwner: noOwner || !found.maySetOwner, noPrivileges }
  job.warnings.push(...(await aside.takeName(like, options, job.ctx)))
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
  if (hasRoom || bound.disposable) return await fillEmpty({ ...filling, singleTransaction: hasRoom })
  await replaceDatabase(situation, filling)
}

/**
 * A new database is filled aside and takes the name at the end; then the empty one goes. Filling takes hours, in which an
 * application, or another restore, may have begun to use it: then it does not go.
 */
async function replaceDatabase(situation: Situation, filling: Omit<Filling, 'singleTransaction'>): Promise<void> {
  const { bound, job, session } = situation
  const { ctx } = job
  await requireOwner(session, bound.connection.database)
  const like = propertiesFrom(job.from.manifest.options) ?? (await readProperties(session, bound.connection.database))
  await using aside = await makeScratch(bound, ctx, like satisfies DatabaseProperties | undefined)
  await fillEmpty({ ...filling, connection: aside.connection, singleTransaction: false })
  if (!(await targetIsEmpty(situation))) throw notEmpty(bound)
  const terminateConnections = job.request.terminateConnections ?? false
  const { oldName } = await aside.swap({ terminateConnections }, ctx)
  const old = toDatabase(bound.connection, oldName)
  if (await withSession(old, shielded(ctx), isEmpty).catch(() => false)) return await dropQuietly(situation, oldName)
  job.warnings.push(
    `Somebody has filled the database meanwhile: that is kept as ${oldName}; restore undo takes it back`,
  )
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

function notEmpty({ connection }: BoundDatabase): BackupError {
  return new BackupError('target-not-empty', {
    message: `The database ${displayOf(connection)} is not empty`,
    hint: 'Restore into another database, or choose what becomes of this one: staged, replace, clean or append.',
  })
}

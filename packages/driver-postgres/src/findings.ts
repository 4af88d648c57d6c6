import {
  BackupError,
  type PreflightFindings,
  type PreflightProblem,
  type PreflightRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import { leftovers } from './beside.js'
import { displayOf } from './connection.js'
import { propertiesFrom } from './database-properties.js'
import { requireMayCreate } from './database-rights.js'
import { locksNeeded, requireLockRoom } from './lock-room.js'
import { inheritedConstraints } from './needs-psql.js'
import { checkConnectable, type Preflight, preflight } from './preflight.js'
import { collectProblems } from './problems.js'
import { defaultLockTimeoutMs } from './programs.js'
import { requirePsql } from './psql.js'
import { quoteIdentifier } from './quoting.js'
import { type BoundDatabase, openJob, type RestoreJob } from './restore-job.js'
import { refuseImpossible } from './restore-rules.js'
import { openMaintenance, type Session, withSession } from './session.js'
import { freeSpaceFindings } from './space.js'
import { checkSwap } from './swap-checks.js'
import { databaseExists, requireMayEnd, usersOf } from './target.js'

/** {@link Driver.preflight} for PostgreSQL. */
export async function findings(
  bound: BoundDatabase,
  from: RestoreSource,
  request: PreflightRequest,
  ctx: RunContext,
): Promise<PreflightFindings> {
  const { connection, settings } = bound
  const mode = request.mode === 'staged' ? 'create' : request.mode
  const job = await openJob(settings, from, { ...request, mode }, ctx)
  await using session = await openMaintenance(connection, settings.maintenanceDatabase, ctx)
  const exists = await databaseExists(session, connection.database)
  const found = await preflight(job, session, exists ? undefined : propertiesFrom(from.manifest.options))
  const question = { bound, job, request, session, exists, found }
  const place = await placeFindings(question)
  const target = await targetFindings(question)
  return {
    problems: [...found.problems, ...target.problems, ...place.problems].map(toTell),
    warnings: [
      ...job.warnings,
      ...target.warnings,
      ...place.warnings,
      ...(await leftovers(session, connection.database, ctx.clock.now())),
    ],
  }
}

interface Question {
  readonly bound: BoundDatabase
  readonly job: RestoreJob
  readonly request: PreflightRequest
  /** In the maintenance database. */
  readonly session: Session
  /** Whether the target database exists. */
  readonly exists: boolean
  readonly found: Preflight
}

/** Whether the target can be replaced in the end, where it is to be; else whether there is space for a whole dump. */
async function placeFindings({ bound, job, request, session, exists }: Question): Promise<PreflightFindings> {
  const { manifest } = job.from
  const { database } = bound.connection
  const { terminateConnections = false, tables, sections = 'all' } = request
  if (request.mode === 'staged' && exists) {
    return await checkSwap(session, { database, manifest, terminateConnections })
  }
  const isWhole = !tables && sections === 'all'
  return isWhole ? await freeSpaceFindings(session, manifest) : { problems: [], warnings: [] }
}

/** What the server and the target would refuse. */
async function targetFindings({ bound, job, request, session, exists, found }: Question): Promise<PreflightFindings> {
  const { mode, tables } = request
  const inPlace = mode === 'clean' || mode === 'append'
  const makesDatabase = !inPlace && (!exists || mode === 'staged')
  const warnings: string[] = []
  const problems = await collectProblems([
    async () => refuseImpossible(job),
    async () => {
      if (makesDatabase) await requireMayCreate(session)
    },
    async () => {
      warnings.push(...(await checkConnectable(session, bound.connection.database, mode)))
    },
    async () => {
      if (inPlace && !exists) throw noTarget(bound)
    },
    async () => {
      if (inPlace && exists) warnings.push(...(await lockFindings(bound, session, request)))
    },
    async () => {
      if (mode === 'clean' && exists && !found.takesPsql) await requirePsqlForDrops(bound, found, job.ctx)
    },
    async () => {
      if (inPlace && !tables) await requireLockRoom(session, locksNeeded(found.objects, mode === 'clean'))
    },
  ])
  return { problems, warnings }
}

/** Whether psql is needed only a look into the database tells. Where there is none to be had, something else is in the way. */
async function requirePsqlForDrops(
  { connection, settings }: BoundDatabase,
  { server }: Preflight,
  ctx: RunContext,
): Promise<void> {
  const inherited = await withSession(connection, ctx, inheritedConstraints).catch(() => undefined)
  if (inherited && inherited.size > 0) await requirePsql(server.major, settings.binDir)
}

/**
 * What a restore in place has to do with others in the database.
 *
 * @returns Warnings.
 * @throws {BackupError} `target-in-use` when they are to be ended and cannot be.
 */
async function lockFindings(
  { connection, settings }: BoundDatabase,
  session: Session,
  { terminateConnections }: PreflightRequest,
): Promise<readonly string[]> {
  const { database } = connection
  if (terminateConnections) {
    await requireMayEnd(session, database)
    return []
  }
  const users = await usersOf(session, database)
  if (users === undefined) return []
  const limit = (settings.lockTimeout ?? defaultLockTimeoutMs) / 1000
  return [
    `The database ${quoteIdentifier(database)} is in use by ${users}: for locks that they hold, the restore waits for up to ${limit} s each (lockTimeout) before it gives up, and they wait for those of the restore; terminateConnections (--terminate) ends them first`,
  ]
}

/** Without the error that it was made from. */
function toTell({ message, hint }: PreflightProblem): PreflightProblem {
  return { message, ...(hint !== undefined && { hint }) }
}

/** In place there has to be a place. */
export function noTarget({ connection }: BoundDatabase): BackupError {
  return new BackupError('source-missing', {
    message: `There is no database ${displayOf(connection)} to restore into in place`,
    hint: 'Restore with mode create, which makes it.',
  })
}

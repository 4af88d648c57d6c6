import {
  BackupError,
  type PreflightFindings,
  type PreflightRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import { leftovers } from './beside.js'
import { displayOf } from './connection.js'
import { propertiesFrom } from './database-properties.js'
import { requireMayCreate } from './database-rights.js'
import { locksNeeded, requireLockRoom } from './lock-room.js'
import { checkConnectable, preflight } from './preflight.js'
import { collectProblems } from './problems.js'
import { type BoundDatabase, openJob } from './restore-job.js'
import { refuseImpossible } from './restore-rules.js'
import { openMaintenance } from './session.js'
import { freeSpaceFindings } from './space.js'
import { checkSwap } from './swap-checks.js'
import { databaseExists } from './target.js'

/** {@link Driver.preflight} for PostgreSQL. */
export async function findings(
  bound: BoundDatabase,
  from: RestoreSource,
  request: PreflightRequest,
  ctx: RunContext,
): Promise<PreflightFindings> {
  const { database } = bound.connection
  const staged = request.mode === 'staged'
  const inPlace = request.mode === 'clean' || request.mode === 'append'
  const mode = request.mode === 'staged' ? 'create' : request.mode
  const job = await openJob(bound.settings, from, { ...request, mode }, ctx)
  await using session = await openMaintenance(bound.connection, bound.settings.maintenanceDatabase, ctx)
  const exists = await databaseExists(session, database)
  const found = await preflight(job, session, exists ? undefined : propertiesFrom(from.manifest.options))
  const { terminateConnections = false } = request
  const swap =
    staged && exists ? await checkSwap(session, { database, manifest: from.manifest, terminateConnections }) : undefined
  const isWhole = !request.tables && (request.sections ?? 'all') === 'all'
  const space = !swap && isWhole ? await freeSpaceFindings(session, from.manifest) : undefined
  const closed: string[] = []
  const makesOne = exists ? request.mode !== 'create' && !inPlace : !inPlace
  const further = await collectProblems([
    async () => refuseImpossible(job),
    async () => void (makesOne && (await requireMayCreate(session))),
    async () => void closed.push(...(await checkConnectable(session, database, request.mode))),
    async () => {
      if (inPlace && !exists) throw noTarget(bound)
    },
    async () =>
      void (
        inPlace &&
        !request.tables &&
        (await requireLockRoom(session, locksNeeded(found.objects, mode === 'clean')))
      ),
  ])
  return {
    problems: [...found.problems, ...further, ...((swap ?? space)?.problems ?? [])].map(({ message, hint }) => ({
      message,
      ...(hint !== undefined && { hint }),
    })),
    warnings: [
      ...job.warnings,
      ...closed,
      ...((swap ?? space)?.warnings ?? []),
      ...(await leftovers(session, database, ctx.clock.now())),
    ],
  }
}

/** In place there has to be a place. */
export function noTarget({ connection }: BoundDatabase): BackupError {
  return new BackupError('source-missing', {
    message: `There is no database ${displayOf(connection)} to restore into in place`,
    hint: 'Restore with mode create, which makes it.',
  })
}

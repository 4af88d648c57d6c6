import { messageOf } from '../backup-error.js'
import type { CopyOutcome } from '../layout/layout.js'
import { safeName } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { backFill, type FilledCopy, type IsWanted } from './back-fill.js'
import type { EngineDeps } from './engine-deps.js'
import type { Job } from './job.js'
import type { Lease } from './lease.js'
import { type RetentionSettings, wouldStay } from './plan-retention.js'
import { type PruneResult, pruneBackups } from './prune-backups.js'

const dayMs = 24 * 60 * 60 * 1000
/** Age at which data without a manifest is taken for abandoned, and up to which a missing copy is filled in. */
const orphanGraceMs = 7 * dayMs
/** Age at which an upload that never finished is taken for abandoned. */
const unfinishedGraceMs = dayMs

/** What tidying up after a backup has done. */
export interface TidyUp {
  readonly filled: readonly FilledCopy[]
  /** What retention has deleted, storage by storage; none where the job has no retention. */
  readonly pruned: readonly PruneResult[]
}

/** The backup that was just made. */
interface FreshBackup {
  readonly copies: readonly CopyOutcome[]
  /** Whether it was warned of: it may be of the wrong database, or of an emptied one. */
  readonly isDoubtful: boolean
}

/**
 * After a backup is safe: fills in copies that earlier runs owe, deletes what retention does not keep, and removes what
 * crashed runs left. The new backup stands whatever happens here, so an error is a warning; an error while listing means
 * that nothing is deleted.
 */
export async function tidyUp(
  job: Job,
  { copies, isDoubtful }: FreshBackup,
  leases: ReadonlyMap<string, Lease>,
  { layout, inUse, catalog }: EngineDeps,
  ctx: RunContext,
): Promise<TidyUp> {
  const now = ctx.clock.now()
  const before = (ms: number): Date => new Date(now.getTime() - ms)
  const settings = { minKeep: job.minKeep, now, inUse, known: catalog, storages: job.storages }
  const usable = copies.filter(({ status }) => status === 'complete').map(({ storage }) => storage)
  const writable = new Map(usable.flatMap((storage) => withLease(storage, leases)))
  const settle = async <Result>(what: string, task: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      return await task()
    } catch (error) {
      if (!ctx.signal.aborted) ctx.log.warn(`${what}: ${messageOf(error)}`)
      return undefined
    }
  }
  // What would be deleted again at once is not filled in: that would go on with every run.
  const isWanted: IsWanted = async (storage, backup) => {
    const strategy = job.retention.get(storage.name)
    return !strategy || (await wouldStay(backup, { storage, strategy }, settings, ctx))
  }
  const filled = await settle('Earlier copies were not filled in', () =>
    backFill(job.name, writable, before(orphanGraceMs), isWanted, ctx),
  )
  const pruned = await settle('No old backups were deleted', () => {
    if (job.retention.size > 0) requireSound(copies, isDoubtful)
    return applyRetention(job, usable, leases, settings, ctx)
  })
  for (const storage of usable) {
    await settle(`Nothing was cleaned up on ${storage.name}`, async () => {
      const swept = await layout.sweep(storage, { jobs: [job.name], before: before(orphanGraceMs) }, ctx)
      for (const key of swept.keys) ctx.log.info(`Removed ${key} from ${storage.name}: it never became a backup`)
      const unfinished = { before: before(unfinishedGraceMs), prefixes: [`${safeName(job.name)}/`] }
      await storage.sweepUnfinished?.(unfinished, ctx)
    })
  }
  return { filled: filled ?? [], pruned: pruned ?? [] }
}

/** What lies on a storage that is away, or came before a backup that is doubted, may be all that is left. */
function requireSound(copies: readonly CopyOutcome[], isDoubtful: boolean): void {
  const failed = copies.filter(({ status }) => status !== 'complete').map(({ storage }) => storage.name)
  if (failed.length > 0) throw new Error(`this backup is not on ${failed.join(', ')}`)
  if (isDoubtful) throw new Error('this backup was warned of. A prune deletes what is to go, once you know why')
}

function withLease(storage: Storage, leases: ReadonlyMap<string, Lease>): readonly (readonly [Storage, Lease])[] {
  const lease = leases.get(storage.name)
  return lease ? [[storage, lease]] : []
}

async function applyRetention(
  job: Job,
  storages: readonly Storage[],
  leases: ReadonlyMap<string, Lease>,
  settings: RetentionSettings,
  ctx: RunContext,
): Promise<readonly PruneResult[]> {
  const targets = storages.flatMap((storage) => {
    const strategy = job.retention.get(storage.name)
    return strategy ? withLease(storage, leases).map(([, lease]) => ({ storage, strategy, lease })) : []
  })
  if (targets.length === 0) return []
  const results = await pruneBackups(job.name, targets, settings, false, ctx)
  for (const { storage, hold, problem } of results) {
    const wayOn = hold?.canForce ? '. A prune that is forced deletes all the same' : ''
    if (hold) ctx.log.warn(`No old backups were deleted from ${storage}: ${hold.message}${wayOn}`)
    if (problem !== undefined) ctx.log.warn(problem)
  }
  return results
}

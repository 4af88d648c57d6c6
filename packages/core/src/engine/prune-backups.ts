import { messageOf } from '../backup-error.js'
import { manifestKey, parseKey, pinKey } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import type { BackupRecord } from './backup-record.js'
import type { Lease } from './lease.js'
import { planRetention, type RetentionPlan, type RetentionSettings, type RetentionTarget } from './plan-retention.js'

/** A storage to delete from, leased: no other run of the job writes there meanwhile. */
export interface PruneTarget extends RetentionTarget {
  readonly lease: Pick<Lease, 'check'>
}

/** What was deleted of the backups of one job on one storage. */
export interface PruneResult extends RetentionPlan {
  /** Oldest first. */
  readonly deleted: readonly BackupRecord[]
  /** Bytes of their data. */
  readonly freedBytes: number
  /** Why not all was deleted that was to be. The next time goes on there. */
  readonly problem?: string
  readonly error?: unknown
}

/**
 * Deletes what the strategies do not keep. Everything is planned before anything is deleted, so that an error while
 * reading deletes nothing on any storage.
 *
 * @param force - Whether a {@link RetentionPlan.hold} that a person may lift is lifted.
 * @returns A target that another run has taken over meanwhile has a `problem`, as one that answers no more.
 * @throws as {@link planRetention}.
 */
export async function pruneBackups(
  job: string,
  targets: readonly PruneTarget[],
  settings: RetentionSettings,
  force: boolean,
  ctx: RunContext,
): Promise<readonly PruneResult[]> {
  const plans = await planRetention(job, targets, settings, ctx)
  const results: PruneResult[] = []
  for (const [index, target] of targets.entries()) {
    const plan = plans[index]
    if (plan) results.push(await carryOut(plan, target, settings, force, ctx))
  }
  return results
}

async function carryOut(
  plan: RetentionPlan,
  target: PruneTarget,
  { inUse }: RetentionSettings,
  force: boolean,
  ctx: RunContext,
): Promise<PruneResult> {
  const deleted: BackupRecord[] = []
  const freed = (): number => deleted.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
  const isHeld = plan.hold !== undefined && !(force && plan.hold.canForce)
  const doomed = isHeld ? [] : plan.decisions.filter(({ keep }) => !keep).toReversed()
  if (doomed.length > 0) ctx.report({ type: 'stage', stage: 'clean-up', detail: target.storage.name })
  for (const { backup } of doomed) {
    try {
      if (inUse.has(backup.id)) continue // somebody began to read it after the decision
      ctx.report({ type: 'object', stage: 'clean-up', name: backup.name })
      await target.lease.check()
      if (await deleteCopy(target.storage, backup.base, ctx)) deleted.push(backup)
    } catch (error) {
      ctx.signal.throwIfAborted()
      const problem = `${backup.name} could not be deleted from ${target.storage.name}: ${messageOf(error)}`
      return { ...plan, deleted, freedBytes: freed(), problem, error }
    }
  }
  return { ...plan, deleted, freedBytes: freed() }
}

/**
 * Deletes a copy: its manifest, which makes it a backup, before its data. Cut short in between it leaves data that no
 * backup owns, which are collected later; never a backup without its data.
 *
 * @returns `false`, with nothing done, for one that somebody has pinned since it was decided on.
 */
async function deleteCopy(storage: Storage, base: string, ctx: RunContext): Promise<boolean> {
  const manifest = manifestKey(base)
  const rest: string[] = []
  for await (const { key } of storage.list(`${base}.`, ctx)) {
    if (key !== manifest && parseKey(key)?.base === base) rest.push(key)
  }
  if (rest.includes(pinKey(base))) return false
  for (const key of [manifest, ...rest]) await storage.delete(key, ctx)
  return true
}

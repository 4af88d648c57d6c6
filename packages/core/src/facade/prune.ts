import { BackupError } from '../backup-error.js'
import { acquireLease, type Lease } from '../engine/lease.js'
import {
  planRetention,
  type RetentionPlan,
  type RetentionSettings,
  type RetentionTarget,
} from '../engine/plan-retention.js'
import { type PruneResult, type PruneTarget, pruneBackups } from '../engine/prune-backups.js'
import { recordRun } from '../engine/record-run.js'
import { ensureIdentity } from '../engine/storage-identity.js'
import type { RunContext } from '../run-context.js'
import { uuidV7 } from '../uuid-v7.js'
import type { PlanOptions, PruneOptions } from './calls.js'
import { onlyJob, type Project, pick } from './project.js'

/** {@link Holdfast.plan}. */
export async function planPrune(
  project: Project,
  name: string | undefined,
  options: PlanOptions,
): Promise<readonly RetentionPlan[]> {
  const ctx = project.contextOf(options)
  const job = name ?? onlyJob(project.jobs).name
  return await planRetention(job, targetsOf(job, project, options), await settingsOf(job, project, ctx), ctx)
}

/** {@link Holdfast.prune}. */
export async function pruneJob(
  project: Project,
  name: string | undefined,
  options: PruneOptions,
): Promise<readonly PruneResult[]> {
  const ctx = project.contextOf(options)
  const { catalog } = project
  const job = name ?? onlyJob(project.jobs).name
  const targets = targetsOf(job, project, options)
  const settings = await settingsOf(job, project, ctx)
  const id = uuidV7(settings.now)
  const run = { id, kind: 'prune', job, startedAt: settings.now } as const
  const prune = async (): Promise<readonly PruneResult[]> => {
    const leases: Lease[] = []
    try {
      const leased: PruneTarget[] = []
      for (const target of targets) {
        await ensureIdentity(target.storage, catalog, ctx)
        const lease = await acquireLease(target.storage, job, id, ctx)
        leases.push(lease)
        leased.push({ ...target, lease })
      }
      return await pruneBackups(job, leased, settings, options.force ?? false, ctx)
    } finally {
      await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()))
    }
  }
  return await recordRun(run, catalog, ctx, prune, statusOf)
}

/** A hold is no failure: what was decided is that nothing goes. */
function statusOf(results: readonly PruneResult[]): 'complete' | 'partial' {
  return results.every(({ problem }) => problem === undefined) ? 'complete' : 'partial'
}

/** @throws {BackupError} `config-invalid` where nothing says what is to stay; `no-match`. */
function targetsOf(job: string, project: Project, options: PlanOptions): readonly RetentionTarget[] {
  const configured = project.jobs.get(job)
  const named = options.storages?.map((name) => pick(project.storages, name, 'storage'))
  const targets = (named ?? configured?.storages ?? [...project.storages.values()]).flatMap((storage) => {
    const strategy = options.retention ?? configured?.retention.get(storage.name)
    return strategy ? [{ storage, strategy }] : []
  })
  if (targets.length > 0) return targets
  throw new BackupError('config-invalid', {
    message: `It is not said which backups of ${job} are to stay; so all of them do`,
    hint: 'Set retention of the job, for example keep({ daily: 7, weekly: 4 }), or BACKUP_RETENTION=7d,4w.',
  })
}

async function settingsOf(job: string, project: Project, ctx: RunContext): Promise<RetentionSettings> {
  const { jobs, catalog, inUse } = project
  const storages = jobs.get(job)?.storages ?? [...project.storages.values()]
  const prunes = (await catalog.runs({ job })).filter(({ kind }) => kind === 'prune')
  // By time, not by order: a run that the clock held back has begun before the one that it must not come before.
  const lastPrune = prunes.map(({ startedAt }) => startedAt).sort((a, b) => b.getTime() - a.getTime())[0]
  return { minKeep: jobs.get(job)?.minKeep ?? 1, now: ctx.clock.now(), lastPrune, inUse, known: catalog, storages }
}

import { BackupError } from '../backup-error.js'
import { decide } from '../retention/decide.js'
import { type GuardedBackup, type GuardSettings, guarded, type Hold, holdOf } from '../retention/guards.js'
import { newestFirst, type RetentionStrategy } from '../retention/retention-strategy.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import type { OwedBackup } from './back-fill.js'
import type { BackupCopy, BackupRecord } from './backup-record.js'
import { choosing } from './dump-choice.js'
import type { InUse } from './in-use.js'
import { isRefuted } from './proof/doubt.js'
import { readBackups, toRecord } from './read-backups.js'
import type { KnownStorages } from './storage-identity.js'

/** A storage, and what stays on it. */
export interface RetentionTarget {
  readonly storage: Storage
  readonly strategy: RetentionStrategy
}

/** What retention goes by beside the strategies. */
export interface RetentionSettings extends GuardSettings {
  readonly inUse: Pick<InUse, 'has'>
  readonly known: KnownStorages
  /** Those of the job, whether or not they are pruned: a pin or a test restore on any of them counts. */
  readonly storages: readonly Storage[]
}

/** What becomes of the backups of one job on one storage. */
export interface RetentionPlan {
  readonly job: string
  readonly storage: string
  /** Name of the strategy. */
  readonly policy: string
  /** Newest first. */
  readonly decisions: readonly RetentionDecision[]
  /** Why nothing is deleted for now, where some would be. */
  readonly hold?: Hold
}

/** What becomes of one backup, and why. */
export interface RetentionDecision {
  readonly backup: BackupRecord
  readonly keep: boolean
  /** Each in a few words: `daily 3 of 7`, `newest verified`, `older than 30d`. */
  readonly reasons: readonly string[]
}

/**
 * Decides, for each storage by what lies there; a pin and a test restore count wherever they are. Touches nothing.
 *
 * @throws what keeps any of the storages, or a manifest on it, from being read: less than all must not look like all.
 */
export async function planRetention(
  job: string,
  targets: readonly RetentionTarget[],
  settings: RetentionSettings,
  ctx: RunContext,
): Promise<readonly RetentionPlan[]> {
  const storages = [...new Set([...targets.map(({ storage }) => storage), ...settings.storages])]
  const { backups, damaged, unreachable } = await readBackups(storages, { job }, settings.known, ctx)
  if (unreachable[0]) throw unreachable[0].error
  const unread = damaged.find(({ wasRead }) => !wasRead)
  if (unread) {
    throw new BackupError('unavailable', {
      message: `A manifest on ${unread.storage} cannot be read: ${unread.problem}`,
      hint: 'Nothing was deleted: it is not known what there is.',
      retryable: true,
    })
  }
  return targets.map((target) => planFor(job, target, backups, settings))
}

/** Whether a backup would stay on a storage if it lay there too. Throws what keeps the storage from being read. */
export async function wouldStay(
  { base, manifest, isPinned }: OwedBackup,
  target: RetentionTarget,
  settings: RetentionSettings,
  ctx: RunContext,
): Promise<boolean> {
  const { job } = manifest
  const { backups } = await readBackups([target.storage], { job }, settings.known, ctx)
  const copy = { storage: target.storage.name, status: 'complete', isPinned } as const
  const added = toRecord(base, manifest, [{ copy, verification: undefined }])
  const { decisions } = planFor(job, target, [...backups, added], settings)
  return decisions.some(({ backup, keep }) => backup === added && keep)
}

function planFor(
  job: string,
  { storage, strategy }: RetentionTarget,
  backups: readonly BackupRecord[],
  settings: RetentionSettings,
): RetentionPlan {
  const here = newestFirst(backups).flatMap((backup) => {
    const copy = backup.copies.find((each) => each.storage === storage.name)
    return copy ? [{ backup, copy }] : []
  })
  const complete = here
    .filter(({ copy }) => copy.status === 'complete')
    .map(({ backup, copy }) => candidate(backup, copy, settings))
  const series = [...Map.groupBy(complete, ({ record }) => seriesOf(record)).values()]
  const decisions = series.flatMap((each) => guarded(each, decide(strategy, each, settings.now), settings))
  const decided = new Map(decisions.map(({ backup, keep, reasons }) => [backup.record, { keep, reasons }]))
  const hold = holdOf(series, decisions, settings)
  return {
    job,
    storage: storage.name,
    policy: strategy.name,
    decisions: here.map(({ backup, copy }) => {
      const broken = { keep: true, reasons: [`${copy.status}: counts for nothing, and is left to you`] }
      return { backup, ...(decided.get(backup) ?? broken) }
    }),
    ...(hold && { hold }),
  }
}

/**
 * Names the series of a backup: those of one database that hold the same of it. Strategies see one series at a time,
 * so that a dump of the data alone, or of another database under the same name of a job, pushes no other out.
 */
function seriesOf({ engine, database, manifest: { options } }: BackupRecord): string {
  return JSON.stringify([engine, database, ...choosing.map((name) => options[name] ?? null)])
}

function candidate(
  record: BackupRecord,
  copy: BackupCopy,
  { inUse }: RetentionSettings,
): GuardedBackup & { readonly record: BackupRecord } {
  const { id, type, label, startedAt, storedBytes, manifest } = record
  return {
    record,
    id,
    type,
    ...(label !== undefined && { label }),
    startedAt,
    storedBytes,
    isPinned: record.copies.some(({ isPinned }) => isPinned), // a storage may have been away when it was pinned
    isVerified: copy.verifiedAt !== undefined,
    isRefuted: isRefuted(record),
    isInUse: inUse.has(id),
    ...(manifest.inventory && {
      tables: manifest.inventory.tables.map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`)),
    }),
  }
}

/**
 * Decides which backups of a job stay on a storage.
 *
 * A strategy is pure: the same backups and the same time give the same decisions, and nothing is touched. What must
 * never be deleted is none of its business: the engine's guards keep that, whatever a strategy says.
 *
 * @example
 * ```ts
 * import type { RetentionStrategy } from '@holdfast/core'
 *
 * const manualOnly: RetentionStrategy = {
 *   name: 'made by hand',
 *   decide: (backups) => backups.map(({ id, type }) => ({ id, keep: type === 'manual', reasons: [`type ${type}`] })),
 * }
 * ```
 */
export interface RetentionStrategy {
  /** What it keeps, in a few words for people: `7 daily, 4 weekly`. */
  readonly name: string
  /**
   * @param backups - Every complete backup of one series on one storage, newest first: those of one job that hold the
   *   same of the same database. Others do not count.
   * @param now - The time, for strategies that go by age.
   * @returns A decision for each. A backup without one stays, and of several on one that which keeps it counts.
   */
  decide(backups: readonly RetainableBackup[], now: Date): readonly Decision[]
}

/** What a strategy is told of a backup. */
export interface RetainableBackup {
  /** UUIDv7. */
  readonly id: string
  readonly type: string
  readonly label?: string
  readonly startedAt: Date
  /** Bytes of all parts on the storage. */
  readonly storedBytes: number
}

/** What becomes of one backup, and why. */
export interface Decision {
  readonly id: string
  readonly keep: boolean
  /** Each in a few words: `daily 3 of 7`, `newest`, `older than 30d`. At least one. */
  readonly reasons: readonly string[]
}

/** Backups in the order in which strategies walk them; of two with one time, the same one comes first every time. */
export function newestFirst<Backup extends RetainableBackup>(backups: readonly Backup[]): readonly Backup[] {
  return backups.toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime() || b.id.localeCompare(a.id))
}

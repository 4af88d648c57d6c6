import type { Decision, RetainableBackup } from './retention-strategy.js'
import { isShrunk, usualSize } from './usual-size.js'

/** What the guards look at beside what a strategy is told. */
export interface GuardedBackup extends RetainableBackup {
  /** Somebody has asked for it to stay. */
  readonly isPinned: boolean
  /** The copy on this storage was read again, and was whole. */
  readonly isVerified: boolean
  /** A test restore did not bring back what was dumped. */
  readonly isRefuted: boolean
  /** It is being read now: restored, or verified. */
  readonly isInUse: boolean
  /** Names of the tables in it, where its manifest tells. */
  readonly tables?: readonly string[]
}

/** What the guards go by. */
export interface GuardSettings {
  /** Complete backups of a job that stay on a storage in any case; at least 1. */
  readonly minKeep: number
  readonly now: Date
  /** When backups of the job were last deleted, where that is known. */
  readonly lastPrune?: Date | undefined
}

/** Why nothing is deleted for now, whatever the decisions. */
export interface Hold {
  readonly reason: 'clock' | 'shrunk' | 'lost-tables' | 'many'
  /** A sentence for people. */
  readonly message: string
  /** Whether a person who has looked may go on all the same. */
  readonly canForce: boolean
}

/**
 * The decisions of a strategy, with what no strategy may delete kept.
 *
 * @param backups - Complete ones of one series on one storage, newest first.
 */
export function guarded<Backup extends GuardedBackup>(
  backups: readonly Backup[],
  decisions: readonly Decision[],
  { minKeep }: GuardSettings,
): readonly (Decision & { readonly backup: Backup })[] {
  const byId = new Map(decisions.map((decision) => [decision.id, decision]))
  const verified = backups.find(({ isVerified, isRefuted }) => isVerified && !isRefuted)
  const credible = backups.find(({ isRefuted }) => !isRefuted)
  return backups.map((backup, index) => {
    const { id } = backup
    const decision = byId.get(id) ?? { id, keep: true, reasons: ['the strategy says nothing of it'] }
    const reasons = [
      ...(backup.isPinned ? ['pinned'] : []),
      ...(backup.isInUse ? ['being read'] : []),
      ...(index === 0 ? ['newest'] : []),
      ...(backup === verified ? ['newest verified'] : []),
      ...(backup === credible && index > 0 ? ['newest that no test restore speaks against'] : []),
      ...(index > 0 && index < minKeep ? [`one of the ${minKeep} that always stay`] : []),
    ]
    if (decision.keep || reasons.length === 0) return { ...decision, backup }
    return { id, backup, keep: true, reasons }
  })
}

/**
 * What forbids to delete for now; `undefined` where nothing does.
 *
 * @param series - All complete backups of one job on one storage; those of each series newest first.
 */
export function holdOf(
  series: readonly (readonly GuardedBackup[])[],
  decisions: readonly Decision[],
  settings: GuardSettings,
): Hold | undefined {
  const doomed = decisions.filter(({ keep }) => !keep)
  if (doomed.length === 0) return undefined
  // What is missing can only be in old ones of the same series: where none of those goes, none of it is at stake.
  const ids = new Set(doomed.map(({ id }) => id))
  const touched = series.filter((backups) => backups.some(({ id }) => ids.has(id)))
  const anomaly = (): Hold | undefined => touched.map(anomalyHold).find((hold) => hold !== undefined)
  return clockHold(series.flat(), settings) ?? anomaly() ?? brake(doomed.length, decisions.length)
}

/** By a clock that is wrong, backups look older than they are. */
function clockHold(backups: readonly GuardedBackup[], { now, lastPrune }: GuardSettings): Hold | undefined {
  const later = [
    ...backups.map(({ id, startedAt }) => [`backup ${id.slice(-8)}`, startedAt] as const),
    ...(lastPrune ? [['the last time that backups were deleted', lastPrune] as const] : []),
  ]
  const ahead = later.find(([, time]) => time > now)
  if (!ahead) return undefined
  const [what, time] = ahead
  return {
    reason: 'clock',
    message: `The clock of this host stands at ${now.toISOString()}, before ${what} (${time.toISOString()}): one of the two is wrong`,
    canForce: false,
  }
}

/** So many normal backups end the suspicion that another one has raised. */
const normalAgain = 3

/** A backup that is much smaller than those before it, or lacks tables: what was lost may be in the old ones alone. */
function anomalyHold(backups: readonly GuardedBackup[]): Hold | undefined {
  return backups
    .slice(0, normalAgain)
    .map((backup, index) => shrunk(backup, backups.slice(index + 1)) ?? lostTables(backup, backups.slice(index + 1)))
    .find((hold) => hold !== undefined)
}

function shrunk({ id, startedAt, storedBytes }: GuardedBackup, older: readonly GuardedBackup[]): Hold | undefined {
  const usual = usualSize(older.map((each) => each.storedBytes))
  if (!isShrunk(storedBytes, usual)) return undefined
  return {
    reason: 'shrunk',
    message: `Backup ${id.slice(-8)} of ${startedAt.toISOString()} has ${storedBytes} bytes, and ${usual} were usual before: what is missing in it may be in the old ones alone`,
    canForce: true,
  }
}

function lostTables({ id, startedAt, tables }: GuardedBackup, older: readonly GuardedBackup[]): Hold | undefined {
  const before = older.find((each) => each.tables)?.tables // one without an inventory in between hides nothing
  if (!tables || !before) return undefined
  const there = new Set(tables)
  const lost = before.filter((name) => !there.has(name))
  if (lost.length === 0) return undefined
  const named = lost.slice(0, 5).join(', ')
  return {
    reason: 'lost-tables',
    message: `Backup ${id.slice(-8)} of ${startedAt.toISOString()} lacks ${lost.length === 1 ? `the table ${named}` : `${lost.length} tables`} that the one before it has${lost.length === 1 ? '' : ` (${named}${lost.length > 5 ? ', …' : ''})`}: what is missing in it may be in the old ones alone`,
    canForce: true,
  }
}

/** More than so many at once, and more than half of all, are looked at by a person first. */
const brakeAbove = 10

function brake(doomed: number, all: number): Hold | undefined {
  if (doomed <= brakeAbove || doomed * 2 <= all) return undefined
  return {
    reason: 'many',
    message: `${doomed} of ${all} backups would go at once: is the retention right?`,
    canForce: true,
  }
}

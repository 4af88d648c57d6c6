import * as z from 'zod'
import { BackupError } from '../backup-error.js'
import { type Duration, durationValue } from '../duration.js'
import { describeOptionProblems } from '../option-problems.js'
import { type Period, periods, periodsIn } from './periods.js'
import { type Decision, newestFirst, type RetainableBackup, type RetentionStrategy } from './retention-strategy.js'

/** What {@link keep} keeps. A backup stays if any of these keeps it. */
export interface KeepOptions {
  /** The last so many. */
  readonly last?: number
  /** The newest of each of the last so many hours that have any; likewise the others. */
  readonly hourly?: number
  readonly daily?: number
  /** Weeks begin on Monday. */
  readonly weekly?: number
  readonly monthly?: number
  readonly yearly?: number
  /** All that are no older than this before the newest one. */
  readonly within?: Duration
  /** IANA name of the time zone whose days and weeks count. Default: `TZ`, else UTC. */
  readonly timeZone?: string
}

const count = z.number().int().min(0)
const keepOptions = z.strictObject({
  last: count.default(0),
  hourly: count.default(0),
  daily: count.default(0),
  weekly: count.default(0),
  monthly: count.default(0),
  yearly: count.default(0),
  within: durationValue.optional(),
  timeZone: z.string().min(1).optional(),
})

/**
 * Keeps one backup for each of the last so many hours, days, weeks, months or years.
 *
 * Newest first, every tier counts for itself, and a backup may count in several. A tier keeps the newest backup of a
 * period; periods without any do not count, so a pause in backups costs none. Nothing goes by the clock of today.
 *
 * @throws {BackupError} `config-invalid`, also for options that would keep nothing.
 * @see https://restic.readthedocs.io/en/stable/060_forget.html whose rules these are
 * @example
 * ```ts
 * import { keep } from '@holdfast/core'
 *
 * const retention = keep({ daily: 7, weekly: 4, monthly: 12 })
 * ```
 */
export function keep(options: KeepOptions): RetentionStrategy {
  const parsed = keepOptions.safeParse(options)
  if (!parsed.success) {
    throw new BackupError('config-invalid', {
      message: `The options of keep are wrong: ${describeOptionProblems(parsed.error, options, keepOptions)}`,
      hint: 'It takes numbers of last, hourly, daily, weekly, monthly and yearly, a span within, and a timeZone.',
    })
  }
  const { within, timeZone = process.env.TZ || 'UTC', ...counts } = parsed.data
  const limits = (['last', ...periods] as const).flatMap((tier) =>
    counts[tier] > 0 ? [[tier, counts[tier]] as const] : [],
  )
  const names = [...limits.map(([tier, limit]) => (tier === 'last' ? `last ${limit}` : `${limit} ${tier}`))]
  if (within !== undefined) names.push(`within ${options.within}`)
  if (names.length === 0) {
    throw new BackupError('config-invalid', {
      message: 'This retention would keep nothing',
      hint: 'Say how many to keep, for example keep({ daily: 7 }). To keep everything, leave retention out.',
    })
  }
  const periodOf = periodsIn(timeZone)
  const name = names.join(', ')
  return {
    name,
    decide(backups) {
      const sorted = newestFirst(backups)
      const tiers = limits.map(([tier, limit]) =>
        countingTier(tier, limit, ({ id, startedAt }) => (tier === 'last' ? id : periodOf(startedAt, tier))),
      )
      return sorted.map((backup): Decision => {
        const reasons = tiers.flatMap((keepsBy) => keepsBy(backup) ?? [])
        const newest = sorted[0] ?? backup
        if (within !== undefined && newest.startedAt.getTime() - backup.startedAt.getTime() <= within) {
          reasons.push(`within ${options.within} of the newest`)
        }
        const { id } = backup
        return reasons.length > 0 ? { id, keep: true, reasons } : { id, keep: false, reasons: [`beyond ${name}`] }
      })
    },
  }
}

/** Asks one tier about one backup after the other, newest first: the reason why it keeps it, if it does. */
function countingTier(
  tier: Period | 'last',
  limit: number,
  bucketOf: (backup: RetainableBackup) => string,
): (backup: RetainableBackup) => string | undefined {
  let used = 0
  let latest: string | undefined
  return (backup) => {
    if (used === limit) return undefined
    const bucket = bucketOf(backup)
    if (bucket === latest) return undefined
    latest = bucket
    return `${tier} ${++used} of ${limit}`
  }
}

import type { BackupRecord } from '../backup-record.js'
import type { VerifySettings } from './verify-settings.js'

/** A verification that is due. */
export interface DueVerification {
  readonly backup: BackupRecord
  /** `scrub`: its copies are to be read. `test-restore`: and one of them is to be restored for a test. */
  readonly kind: 'scrub' | 'test-restore'
}

/** What is asked for once a day at the same time is due a little before a whole day is over. */
const tolerance = 0.1

/**
 * Decides what to verify now, from what the notes beside the backups say about earlier verifications. Pure: whoever
 * calls it, at whatever times, verifies as often as the jobs say.
 *
 * @param backups - In any order.
 * @returns At most one test restore of a job (its latest whole backup), before the scrubs; those that were verified
 *   longest ago come first.
 */
export function dueVerifications(
  backups: readonly BackupRecord[],
  jobs: ReadonlyMap<string, VerifySettings>,
  now: Date,
): readonly DueVerification[] {
  const isDue = (last: number | undefined, everyMs: number): boolean =>
    last === undefined || now.getTime() - last >= everyMs * (1 - tolerance)
  const due = [...jobs].flatMap(([name, { scrubEveryMs, testRestore }]): DueVerification[] => {
    const whole = backups.filter((backup) => backup.job === name && wholeCopies(backup).length > 0)
    const lastTest = latest(whole.map(({ test }) => (test ? Date.parse(test.testedAt) : undefined)))
    const testEvery = testRestore?.everyMs
    const newest = whole.toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime())[0]
    const tested = testEvery !== undefined && newest && isDue(lastTest, testEvery) ? newest : undefined
    const scrubbed =
      scrubEveryMs === undefined
        ? []
        : whole.filter((backup) => backup !== tested && isDue(lastScrub(backup), scrubEveryMs))
    return [
      ...(tested ? [{ backup: tested, kind: 'test-restore' as const }] : []),
      ...scrubbed.map((backup) => ({ backup, kind: 'scrub' as const })),
    ]
  })
  const rank = ({ kind, backup }: DueVerification): number => (kind === 'test-restore' ? -1 : (lastScrub(backup) ?? 0))
  return due.toSorted((a, b) => rank(a) - rank(b))
}

/** When all whole copies had been read; `undefined` while some was not. */
function lastScrub(backup: BackupRecord): number | undefined {
  const times = wholeCopies(backup).map(({ verifiedAt }) => verifiedAt?.getTime())
  return times.reduce((oldest, time) =>
    oldest === undefined || time === undefined ? undefined : Math.min(oldest, time),
  )
}

const wholeCopies = ({ copies }: BackupRecord): BackupRecord['copies'] =>
  copies.filter(({ status }) => status === 'complete')

function latest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  return known.length > 0 ? Math.max(...known) : undefined
}

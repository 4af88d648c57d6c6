import { BackupError } from '../backup-error.js'
import type { BackupRecord } from './backup-record.js'
import { doubtOf, isRefuted } from './proof/doubt.js'

/** Which of some backups, newest first, `latest` may mean; in the order in which it is to mean them. */
export type Eligible = (backups: readonly BackupRecord[]) => readonly BackupRecord[]

/**
 * Those with a whole copy. Those whose test restore has failed only where there is no other: a restore from them is
 * better than none.
 */
const restorable: Eligible = (backups) => {
  const whole = backups.filter(isWhole)
  const good = whole.filter((backup) => !isRefuted(backup))
  return good.length > 0 ? good : whole
}

/**
 * Finds the backup that a user means: an id, its short form or the front of either; a backup's name; `latest`,
 * `latest~1` (the one before); or a job's name for its latest.
 *
 * @param backups - Newest first.
 * @param eligible - Which backups `latest` and a job's name may mean. An id means its backup in any state.
 * @throws {BackupError} `no-match`, `ambiguous`.
 */
export function selectBackup(
  backups: readonly BackupRecord[],
  selector: string,
  eligible: Eligible = restorable,
): BackupRecord {
  return byAge(eligible, backups, selector) ?? byName(eligible, backups, selector) ?? byId(backups, selector)
}

/** A warning for each backup that is newer than the one that was chosen by its age, and was passed over. */
export function passedOver(
  backups: readonly BackupRecord[],
  selector: string,
  chosen: BackupRecord,
): readonly string[] {
  const meant = byAgeAlone.test(selector) ? backups : backups.filter(({ job }) => job === selector)
  const newer = meant.slice(0, Math.max(0, meant.indexOf(chosen)))
  return newer.flatMap((backup) => {
    if (!isWhole(backup)) return [`Passed over ${backup.name}, which is newer: no copy of it is whole`]
    return isRefuted(backup) ? [`Passed over a newer one. ${doubtOf(backup)}`] : []
  })
}

/** How far the clocks of two hosts may be apart without a word. */
const clockSlackMs = 5 * 60_000

/** A warning where a backup that was chosen by its age is of a time that has not come: others may be newer in truth. */
export function fromTheFuture(selector: string, { name, id, startedAt }: BackupRecord, now: Date): string | undefined {
  const byAge = !id.startsWith(selector.toLowerCase()) && selector !== name
  if (!byAge || startedAt.getTime() - now.getTime() < clockSlackMs) return undefined
  return `Backup ${name} is of ${startedAt.toISOString()}, a time that has not come: the clock of the host that made it was wrong, or this one's is. Another may be newer in truth; \`holdfast list\` shows them`
}

/** Whether a selector names a backup by its age alone, of whichever job. */
export const isByAge = (selector: string): boolean => byAgeAlone.test(selector)

const byAgeAlone = /^latest(?:~(?<back>\d+))?$/

function byAge(eligible: Eligible, backups: readonly BackupRecord[], selector: string): BackupRecord | undefined {
  const age = byAgeAlone.exec(selector)?.groups
  if (!age) return undefined
  const whole = eligible(backups)
  const found = whole[Number(age.back ?? 0)]
  if (found) return found
  throw new BackupError('no-match', {
    message: tooFew(selector, whole, backups),
    hint: whereElse(whole, backups),
  })
}

function tooFew(selector: string, { length: whole }: { length: number }, { length: all }: { length: number }): string {
  if (all === 0) return 'There are no backups yet, or they are elsewhere'
  if (whole === 0) return noneWhole(all)
  return `There ${whole === 1 ? 'is one whole backup' : `are ${whole} whole backups`} only, too few for ${selector}`
}

function noneWhole(all: number, ofJob = ''): string {
  return all === 1
    ? `The one backup${ofJob} that was found is not whole`
    : `None of the ${all} backups${ofJob} is whole`
}

function whereElse({ length: whole }: { length: number }, { length: all }: { length: number }): string {
  if (all === 0)
    return 'Name the storage that has them, for example --from ./backups. A backup whose manifest is damaged counts as none: what is beside it can be restored by hand (docs/recovery.md).'
  if (whole === 0) return '`holdfast verify` tells what is wrong. Another storage may have a copy that is whole.'
  return '`holdfast list` shows what there is.'
}

function byName(eligible: Eligible, backups: readonly BackupRecord[], selector: string): BackupRecord | undefined {
  const named = backups.find(({ name }) => name === selector)
  if (named) return named
  const own = backups.filter(({ job }) => job === selector)
  const [latest] = eligible(own)
  if (latest || own.length === 0) return latest
  throw new BackupError('no-match', {
    message: noneWhole(own.length, ` of ${selector}`),
    hint: whereElse([], own),
  })
}

function byId(backups: readonly BackupRecord[], selector: string): BackupRecord {
  const wanted = selector.toLowerCase()
  const isMeant = (id: string): boolean => wanted !== '' && id.startsWith(wanted) // a variable that is not set names none
  const found = backups.filter(({ id, shortId }) => isMeant(id) || isMeant(shortId))
  const [only, another] = found
  if (only && !another) return only
  if (!only) {
    throw new BackupError('no-match', {
      message: `No backup or job is called ${JSON.stringify(selector)}`,
      hint: `${jobsAmong(backups)}\`holdfast list\` shows what there is. A backup is named by its id or the beginning of it, by \`latest\`, or by its job.`,
    })
  }
  throw new BackupError('ambiguous', {
    message: `${JSON.stringify(selector)} could mean ${found.length} backups: ${found
      .slice(0, 5)
      .map(({ shortId }) => shortId)
      .join(', ')}`,
    hint:
      another?.id === only.id
        ? 'Two storages disagree about this backup: say from which one.'
        : 'Give more digits of the id.',
  })
}

/** `There are backups of: crm, shop. `, for whom has mistyped one. */
function jobsAmong(backups: readonly BackupRecord[]): string {
  const jobs = [...new Set(backups.map(({ job }) => job))].toSorted()
  if (jobs.length === 0) return 'There are no backups where was looked. '
  const more = jobs.length > 10 ? ` and ${jobs.length - 10} more` : ''
  return `There are backups of: ${jobs.slice(0, 10).join(', ')}${more}. `
}

/** Whether some copy is whole, as far as a listing and the last verification tell. */
function isWhole(backup: BackupRecord): boolean {
  return backup.copies.some(({ status }) => status === 'complete')
}

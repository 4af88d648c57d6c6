import { BackupError } from '../backup-error.js'
import type { BackupRecord } from './backup-record.js'

/**
 * Finds the backup that a user means: an id, its short form or the front of either; a backup's name; `latest`,
 * `latest~1` (the one before); or a job's name for its latest.
 *
 * @param backups - Newest first.
 * @param counts - Which backups `latest` and a job's name may mean. Default: those with a whole copy. An id means
 *   its backup in any state.
 * @throws {BackupError} `no-match`, `ambiguous`.
 */
export function selectBackup(
  backups: readonly BackupRecord[],
  selector: string,
  counts: (backup: BackupRecord) => boolean = isRestorable,
): BackupRecord {
  const candidates = backups.filter(counts)
  return byAge(candidates, selector) ?? byName(backups, candidates, selector) ?? byId(backups, selector)
}

function byAge(whole: readonly BackupRecord[], selector: string): BackupRecord | undefined {
  const age = /^latest(?:~(?<back>\d+))?$/.exec(selector)?.groups
  if (!age) return undefined
  const found = whole[Number(age.back ?? 0)]
  if (found) return found
  throw new BackupError('no-match', {
    message: `There is no backup ${selector}: ${whole.length} whole ${whole.length === 1 ? 'backup was' : 'backups were'} found`,
    hint: '`holdfast list` shows what there is.',
  })
}

function byName(
  backups: readonly BackupRecord[],
  candidates: readonly BackupRecord[],
  selector: string,
): BackupRecord | undefined {
  return backups.find(({ name }) => name === selector) ?? candidates.find(({ job }) => job === selector)
}

function byId(backups: readonly BackupRecord[], selector: string): BackupRecord {
  const wanted = selector.toLowerCase()
  const found = backups.filter(({ id, shortId }) => id.startsWith(wanted) || shortId.startsWith(wanted))
  const [only, another] = found
  if (only && !another) return only
  if (!only) {
    throw new BackupError('no-match', {
      message: `No backup or job is called ${JSON.stringify(selector)}`,
      hint: '`holdfast list` shows what there is. A backup is named by its id or the beginning of it, by `latest`, or by its job.',
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

/** Whether some copy is whole, as far as a listing and the last verification tell. */
function isRestorable(backup: BackupRecord): boolean {
  return backup.copies.some(({ status }) => status === 'complete')
}

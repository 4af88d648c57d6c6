import { BackupError } from '../backup-error.js'
import type { Decision, RetainableBackup, RetentionStrategy } from './retention-strategy.js'

/**
 * Asks a strategy, and trusts it with nothing, as anybody may have written it: it gets copies, so that it cannot
 * reorder or change what the guards look at, and gives up only what it clearly says that it does not keep.
 *
 * @returns One decision for each id that it names. Of two on one id, that which keeps it.
 * @throws {BackupError} `config-invalid` for anything but a list of objects.
 */
export function decide(
  strategy: RetentionStrategy,
  backups: readonly RetainableBackup[],
  now: Date,
): readonly Decision[] {
  const answer: unknown = strategy.decide(backups.map(told), new Date(now))
  if (!isList(answer)) {
    throw new BackupError('config-invalid', {
      message: `The retention ${JSON.stringify(strategy.name)} gives no list of decisions`,
      hint: 'Nothing was deleted. Its decide returns { id, keep, reasons } for each backup, and no promise.',
    })
  }
  const byId = new Map<string, Decision>()
  for (const { id, keep, reasons } of answer) {
    if (byId.get(id)?.keep) continue
    const why = Array.isArray(reasons) && reasons.length > 0 ? reasons : [strategy.name]
    byId.set(id, { id, keep: keep !== false, reasons: why })
  }
  return [...byId.values()]
}

/** Objects are all that is asked for here: what is missing in one keeps its backup. */
function isList(answer: unknown): answer is readonly Decision[] {
  return Array.isArray(answer) && answer.every((each) => typeof each === 'object' && each !== null)
}

function told({ id, type, label, startedAt, storedBytes }: RetainableBackup): RetainableBackup {
  return { id, type, ...(label !== undefined && { label }), startedAt: new Date(startedAt), storedBytes }
}

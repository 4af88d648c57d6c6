import type { PruneResult, RetentionPlan } from '@holdfast/core'
import { counted } from './counted.js'
import { formatBytes } from './format-bytes.js'
import { formatAge } from './format-duration.js'
import type { Output } from './output.js'
import { shortPlace } from './short-place.js'
import { type Column, table } from './table.js'
import { visible } from './visible.js'

/** What becomes of every backup of a job on a storage, and why. */
export function describePlan(
  plan: RetentionPlan,
  { paint, width }: Pick<Output, 'paint' | 'width'>,
  now: Date,
): string {
  type Row = RetentionPlan['decisions'][number]
  const databases = new Set(plan.decisions.map(({ backup }) => backup.database))
  const columns: Column<Row>[] = [
    { title: 'ID', cell: ({ backup }) => backup.shortId },
    ...(databases.size > 1
      ? [{ title: 'DATABASE', cell: ({ backup }: Row) => visible(backup.database), shrinks: true }]
      : []),
    { title: 'TAKEN', cell: ({ backup }) => backup.startedAt.toISOString().slice(0, 16).replace('T', ' ') },
    { title: 'AGE', cell: ({ backup }) => formatAge(backup.startedAt, now), align: 'right' },
    { title: 'SIZE', cell: ({ backup }) => formatBytes(backup.storedBytes), align: 'right' },
    { title: 'STAYS', cell: ({ keep }) => (keep ? paint.good('keep') : paint.bad('delete')) },
    { title: 'BECAUSE', cell: ({ reasons }) => visible(reasons.join(', ')), shrinks: true },
  ]
  const title = `${paint.strong(visible(plan.job))} on ${visible(shortPlace(plan.storage))}: ${visible(plan.policy)}`
  if (plan.decisions.length === 0) return `${title}\n  there are no backups`
  return `${title}\n${table(columns, plan.decisions, width, paint.faint)}`
}

/** What was deleted, in a line; nothing where nothing was. */
export function describePruned({ storage, deleted, freedBytes }: PruneResult): string[] {
  if (deleted.length === 0) return []
  return [`  ${shortPlace(storage)}: deleted ${counted(deleted.length, 'old backup')}, ${formatBytes(freedBytes)}`]
}

/** A plan, or what came of it, as `--json` prints it. */
export function pruneDocument(plan: RetentionPlan | PruneResult): object {
  const { job, storage, policy, hold } = plan
  const done = 'deleted' in plan
  return {
    job,
    storage,
    policy,
    ...(hold && { hold }),
    decisions: plan.decisions.map(({ backup, keep, reasons }) => {
      const { id, shortId, name, startedAt, storedBytes } = backup
      return { id, shortId, name, startedAt, storedBytes, keep, reasons }
    }),
    ...(done && { deleted: plan.deleted.map(({ id }) => id), freedBytes: plan.freedBytes }),
    ...(done && plan.problem !== undefined && { problem: plan.problem }),
  }
}

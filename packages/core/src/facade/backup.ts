import { BackupError, messageOf } from '../backup-error.js'
import type { Job } from '../engine/job.js'
import { toRecord } from '../engine/read-backups.js'
import { type BackupRun, runBackup } from '../engine/run-backup.js'
import { backupTypes } from '../layout/manifest.js'
import type { BackupOptions, BackupResult } from './calls.js'
import { onlyJob, type Project, pick } from './project.js'

/** {@link Holdfast.backup}. */
export async function backupJob(
  project: Project,
  name: string | undefined,
  options: BackupOptions,
): Promise<BackupResult> {
  const { jobs } = project
  requireReadable(options)
  return await backUp(name === undefined ? onlyJob(jobs) : pick(jobs, name, 'job'), options, project)
}

/** What the types forbid and plain JavaScript does not: no reader would accept the manifest, after hours of dumping. */
function requireReadable({ type = 'manual', label = '' }: BackupOptions): void {
  if (!backupTypes.includes(type)) throw unreadable(`type: must be one of ${backupTypes.join(', ')}`)
  if (typeof label !== 'string') throw unreadable('label: must be text')
}

function unreadable(problem: string): BackupError {
  return new BackupError('config-invalid', { message: `The backup cannot be made: ${problem}` })
}

/** A backup of a job as it is given here, which may differ from the configured one. */
export async function backUp(
  job: Job,
  options: BackupOptions,
  { catalog, layout, inUse, contextOf }: Project,
): Promise<BackupResult> {
  const request = {
    type: options.type ?? 'manual',
    ...(options.label !== undefined && { label: options.label }),
  } as const
  return toResult(await runBackup(job, request, { catalog, layout, inUse }, contextOf(options)))
}

function toResult({ status, manifest, base, copies, filled, pruned, durationMs }: BackupRun): BackupResult {
  const whole = copies.filter((copy) => copy.status === 'complete')
  const found = whole.map(({ storage }) => ({
    copy: { storage: storage.name, status: 'complete' as const, isPinned: false },
    verification: undefined,
  }))
  return {
    status,
    backup: toRecord(base, manifest, found),
    copies: copies.map((copy) => ({
      storage: copy.storage.name,
      status: copy.status,
      ...(copy.status === 'failed' && { error: messageOf(copy.error) }),
    })),
    filled,
    pruned,
    warnings: manifest.warnings,
    durationMs,
  }
}

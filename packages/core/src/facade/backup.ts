import { BackupError, messageOf } from '../backup-error.js'
import type { Job } from '../engine/job.js'
import { toRecord } from '../engine/read-backups.js'
import { type BackupRun, runBackup } from '../engine/run-backup.js'
import type { BackupOptions, BackupResult } from './calls.js'
import { type Project, pick } from './project.js'

/** {@link Holdfast.backup}. */
export async function backupJob(
  { jobs, catalog, layout, contextOf }: Project,
  name: string | undefined,
  options: BackupOptions,
): Promise<BackupResult> {
  const job = name === undefined ? onlyJob(jobs) : pick(jobs, name, 'job')
  const request = {
    type: options.type ?? 'manual',
    ...(options.label !== undefined && { label: options.label }),
  } as const
  return toResult(await runBackup(job, request, { catalog, layout }, contextOf(options)))
}

function toResult({ status, manifest, base, copies, filled, durationMs }: BackupRun): BackupResult {
  const whole = copies.filter((copy) => copy.status === 'complete')
  const found = whole.map(({ storage }) => ({
    copy: { storage: storage.name, status: 'complete' as const },
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
    warnings: manifest.warnings,
    durationMs,
  }
}

/** @throws {BackupError} `no-match` where there is not one job alone. */
export function onlyJob(jobs: ReadonlyMap<string, Job>): Job {
  const [only, another] = jobs.values()
  if (only && !another) return only
  throw new BackupError('no-match', {
    message: only ? `There are ${jobs.size} jobs: say which` : 'There is no job',
    hint: only ? `Name one of: ${[...jobs.keys()].join(', ')}.` : 'Add one to the configuration.',
  })
}

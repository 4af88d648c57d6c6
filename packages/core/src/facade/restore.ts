import { BackupError } from '../backup-error.js'
import { runRestore } from '../engine/run-restore.js'
import type { RestoreOptions, RestoreResult } from './calls.js'
import type { Project } from './project.js'

/** {@link Holdfast.restore}. */
export async function restoreBackup(
  { jobs, layout, contextOf, find, holders }: Project,
  selector: string,
  options: RestoreOptions,
): Promise<RestoreResult> {
  const { into, job, storage, signal, onProgress, ...request } = options
  const ctx = contextOf(options)
  const backup = await find(selector, options, ctx)
  const target = into ?? jobs.get(backup.job)?.source
  if (!target) {
    throw new BackupError('config-invalid', {
      message: `No target was named for ${backup.name}, and no job is called ${JSON.stringify(backup.job)}`,
      hint: 'Say into which database to restore.',
    })
  }
  const plan = {
    manifest: backup.manifest,
    storages: holders(backup),
    target,
    request,
    cipher: jobs.get(backup.job)?.cipher,
  }
  return { backup, target: target.display, ...(await runRestore(plan, layout, ctx)) }
}

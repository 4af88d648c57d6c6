import { messageOf } from '../backup-error.js'
import type { BackupRecord } from '../engine/backup-record.js'
import { type VerifyMeans, verifyCopy } from '../engine/verify-backup.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import type { CopyVerification, VerifyOptions, VerifyResult } from './calls.js'
import { anyState, type Project } from './project.js'

/** {@link Holdfast.verify}. */
export async function verifyBackup(
  { jobs, contextOf, find, holders, driverFor }: Project,
  selector: string,
  options: VerifyOptions,
): Promise<VerifyResult> {
  const ctx = contextOf(options)
  const backup = await find(selector, options, ctx, anyState)
  ctx.report({ type: 'stage', stage: 'verify', detail: backup.name })
  const means = { driver: options.driver ?? driverFor(backup), cipher: jobs.get(backup.job)?.cipher }
  const copies: CopyVerification[] = []
  for (const storage of holders(backup)) copies.push(await verifyOn(storage, backup, means, ctx))
  const worst = (['corrupt', 'unreadable'] as const).find((status) => copies.some((copy) => copy.status === status))
  return { backup, copies, status: worst ?? 'intact' }
}

async function verifyOn(
  storage: Storage,
  backup: BackupRecord,
  means: VerifyMeans,
  ctx: RunContext,
): Promise<CopyVerification> {
  try {
    return { storage: storage.name, ...(await verifyCopy(backup.manifest, backup.base, storage, means, ctx)) }
  } catch (error) {
    ctx.signal.throwIfAborted()
    return { storage: storage.name, status: 'unreadable', problem: messageOf(error), error }
  }
}

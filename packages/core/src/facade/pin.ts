import { BackupError } from '../backup-error.js'
import { streamOf } from '../byte-stream.js'
import type { BackupCopy, BackupRecord } from '../engine/backup-record.js'
import { ensureIdentity } from '../engine/storage-identity.js'
import { formatVersion } from '../layout/manifest.js'
import { manifestKey, pinKey } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import { removeQuietly } from '../storage/remove-quietly.js'
import type { Storage } from '../storage/storage.js'
import type { CallOptions, Scope } from './calls.js'
import { anyState, type Project, pick } from './project.js'

/** {@link Holdfast.pin} and {@link Holdfast.unpin}: a small object beside the manifest of each copy. */
export async function setPin(
  { catalog, contextOf, find, storages }: Project,
  selector: string,
  isPinned: boolean,
  options: Scope & CallOptions,
): Promise<BackupRecord> {
  const ctx = contextOf(options)
  const backup = await find(selector, options, ctx, anyState)
  const key = pinKey(backup.base)
  const copies: BackupCopy[] = []
  for (const copy of backup.copies) {
    const storage = pick(storages, copy.storage, 'storage')
    await ensureIdentity(storage, catalog, ctx)
    const pin = { formatVersion, id: backup.id, pinnedAt: ctx.clock.now().toISOString() }
    if (isPinned) await storage.put(key, streamOf(Buffer.from(`${JSON.stringify(pin)}\n`)), {}, ctx)
    else await storage.delete(key, ctx)
    if (!isPinned || (await isStillThere(backup.base, storage, ctx))) copies.push({ ...copy, isPinned })
  }
  if (copies.length > 0) return { ...backup, copies }
  throw new BackupError('not-found', {
    message: `Backup ${backup.name} was deleted while it was being pinned`,
    hint: 'Another run of the job has deleted it, or somebody has. List what there is, and pin another.',
  })
}

/** A prune that looked for a pin before this one was put deletes the copy all the same; its pin then goes too. */
async function isStillThere(base: string, storage: Storage, ctx: RunContext): Promise<boolean> {
  if (await storage.stat(manifestKey(base), ctx)) return true
  await removeQuietly(storage, [pinKey(base)], ctx)
  ctx.log.warn(`The copy of ${base} on ${storage.name} was deleted while it was being pinned`)
  return false
}

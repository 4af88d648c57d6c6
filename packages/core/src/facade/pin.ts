import { streamOf } from '../byte-stream.js'
import type { BackupRecord } from '../engine/backup-record.js'
import { ensureIdentity } from '../engine/storage-identity.js'
import { formatVersion } from '../layout/manifest.js'
import { pinKey } from '../layout/object-names.js'
import type { CallOptions, Scope } from './calls.js'
import { anyState, type Project } from './project.js'

/** {@link Holdfast.pin} and {@link Holdfast.unpin}: a small object beside the manifest of each copy. */
export async function setPin(
  { catalog, contextOf, find, storages }: Project,
  selector: string,
  isPinned: boolean,
  options: Scope & CallOptions,
): Promise<BackupRecord> {
  const ctx = contextOf(options)
  const backup = await find(selector, options, ctx, anyState)
  for (const { storage: name } of backup.copies) {
    const storage = storages.get(name)
    if (!storage) continue
    await ensureIdentity(storage, catalog, ctx)
    const key = pinKey(backup.base)
    const pin = { formatVersion, id: backup.id, pinnedAt: ctx.clock.now().toISOString() }
    if (isPinned) await storage.put(key, streamOf(Buffer.from(`${JSON.stringify(pin)}\n`)), {}, ctx)
    else await storage.delete(key, ctx)
  }
  return { ...backup, copies: backup.copies.map((copy) => ({ ...copy, isPinned })) }
}

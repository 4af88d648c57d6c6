import { isBackupError } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import { decodeManifest } from '../layout/manifest-file.js'
import { manifestKey } from '../layout/object-names.js'
import { storedBytes } from '../layout/read-part.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'

/**
 * Copies a backup from one storage to another as it lies there, hashes checked on the way, its manifest last.
 * Data that is there already at the right size is written again: what a failed copy left is not trusted.
 */
export async function copyBackup(base: string, from: Storage, to: Storage, ctx: RunContext): Promise<void> {
  const key = manifestKey(base)
  const file = await readAll(from.get(key, undefined, ctx))
  const manifest = decodeManifest(file, `${key} on ${from.display}`, base)
  for (const part of manifest.parts) await to.put(part.key, storedBytes(part, from, 'back-fill', ctx), {}, ctx)
  try {
    await to.put(key, streamOf(file), { ifAbsent: true }, ctx)
  } catch (error) {
    if (!isBackupError(error, 'already-exists')) throw error // the same bytes, written by another process
  }
}

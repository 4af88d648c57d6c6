import { BackupError, isBackupError } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import type { ManifestPart } from '../layout/manifest.js'
import { decodeManifest } from '../layout/manifest-file.js'
import { manifestKey, verifiedKey } from '../layout/object-names.js'
import { storedBytes } from '../layout/read-part.js'
import type { RunContext } from '../run-context.js'
import { removeQuietly } from '../storage/remove-quietly.js'
import type { Storage } from '../storage/storage.js'

/**
 * Copies a backup from one storage to another as it lies there, hashes checked on the way, its manifest last.
 *
 * What lies on the target without a manifest is what a failed copy left: it is written again. Under the same
 * manifest only what is missing or has another size is written.
 *
 * @param fence - Called just before the manifest is written; what it throws keeps the copy from becoming a backup.
 * @param isDamaged - Whether the target's copy is known not to be whole. All of it is written again then, for rot does
 *   not change a size, and what a verification has noted is taken away: it is of other bytes.
 * @throws {BackupError} `already-exists` when the target holds another manifest in its place; nothing is changed.
 */
export async function copyBackup(
  base: string,
  from: Storage,
  to: Storage,
  fence: () => Promise<void>,
  ctx: RunContext,
  isDamaged: boolean = false,
): Promise<void> {
  const key = manifestKey(base)
  const file = await readAll(from.get(key, undefined, ctx))
  const manifest = decodeManifest(file, `${key} on ${from.display}`, base)
  const present = await readIfThere(key, to, ctx)
  if (present && !present.equals(file)) throw otherManifest(key, to)
  for (const part of manifest.parts) {
    if (present && !isDamaged && (await to.stat(part.key, ctx))?.size === part.storedBytes) continue
    await copyPart(part, from, to, ctx)
  }
  if (isDamaged) await removeQuietly(to, [verifiedKey(base)], ctx)
  if (present) return
  await fence()
  try {
    await to.put(key, streamOf(file), { ifAbsent: true }, ctx)
  } catch (error) {
    if (!isBackupError(error, 'already-exists')) throw error
    const written = await readIfThere(key, to, ctx) // by another process, or by us before an answer was lost
    if (!written?.equals(file)) throw otherManifest(key, to)
  }
}

/** Where the one to copy from is damaged, what a run that was killed has left on the target may be the only good one. */
async function copyPart(part: ManifestPart, from: Storage, to: Storage, ctx: RunContext): Promise<void> {
  try {
    await to.put(part.key, storedBytes(part, from, 'back-fill', ctx), {}, ctx)
  } catch (error) {
    if (!isBackupError(error, 'corrupt') && !isBackupError(error, 'not-found')) throw error
    if (!(await isWhole(part, to, ctx))) throw error
    ctx.log.warn(`${part.key} is damaged on ${from.name}, and whole on ${to.name}`)
  }
}

async function isWhole(part: ManifestPart, on: Storage, ctx: RunContext): Promise<boolean> {
  try {
    for await (const _ of storedBytes(part, on, 'back-fill', ctx));
    return true
  } catch (error) {
    if (isBackupError(error, 'corrupt') || isBackupError(error, 'not-found')) return false
    throw error
  }
}

async function readIfThere(key: string, on: Storage, ctx: RunContext): Promise<Buffer | undefined> {
  try {
    return await readAll(on.get(key, undefined, ctx))
  } catch (error) {
    if (isBackupError(error, 'not-found')) return undefined
    throw error
  }
}

function otherManifest(key: string, on: Storage): BackupError {
  return new BackupError('already-exists', {
    message: `${on.display} holds another manifest in place of ${key}`,
    hint: 'It is damaged, or not the same backup. Look at it, and move it away by hand if it is worth nothing.',
  })
}

import { BackupError, isBackupError } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import type { Catalog } from '../catalog/catalog.js'
import { formatVersion } from '../layout/manifest.js'
import { identityKey } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { uuidV7 } from '../uuid-v7.js'

/** Knows which storage is which. */
export type KnownStorages = Pick<Catalog, 'storageIdentity'>

/**
 * Makes sure that a storage that is known is the one it was: an empty directory where a volume should be mounted is
 * noticed here, and not taken for a storage without backups. Writes nothing.
 *
 * @throws {BackupError} `storage-identity`, and what the storage throws.
 */
export async function checkIdentity(storage: Storage, known: KnownStorages, ctx: RunContext): Promise<void> {
  const expected = await known.storageIdentity(storage.name)
  if (expected === undefined) return
  const found = await readIdentity(storage, ctx)
  if (found !== expected) throw changed(storage, found)
}

/**
 * The same before anything is written to a storage or deleted from it. A new storage gets its identity.
 *
 * @throws {BackupError} `storage-identity`, and what the storage throws.
 */
export async function ensureIdentity(storage: Storage, catalog: Catalog, ctx: RunContext): Promise<void> {
  if ((await catalog.storageIdentity(storage.name)) !== undefined) return await checkIdentity(storage, catalog, ctx)
  const id = (await readIdentity(storage, ctx)) ?? (await createIdentity(storage, ctx))
  await catalog.rememberStorageIdentity(storage.name, id)
}

async function readIdentity(storage: Storage, ctx: RunContext): Promise<string | undefined> {
  try {
    const content: unknown = JSON.parse((await readAll(storage.get(identityKey, undefined, ctx), 65_536)).toString())
    const id = (content as { id?: unknown } | null)?.id
    if (typeof id === 'string') return id
    throw new SyntaxError('it has no id')
  } catch (error) {
    if (isBackupError(error, 'not-found')) return undefined
    if (!(error instanceof SyntaxError)) throw error
    throw new BackupError('storage-identity', {
      message: `${identityKey} on ${storage.display} cannot be read: ${error.message}`,
      hint: 'Something else wrote to it. Move it away once you are sure that this is the right place; a new one is made.',
      cause: error,
    })
  }
}

async function createIdentity(storage: Storage, ctx: RunContext): Promise<string> {
  const now = ctx.clock.now()
  const id = uuidV7(now)
  const content = Buffer.from(`${JSON.stringify({ formatVersion, id, createdAt: now.toISOString() })}\n`)
  try {
    await storage.put(identityKey, streamOf(content), { ifAbsent: true }, ctx)
    return id
  } catch (error) {
    if (!isBackupError(error, 'already-exists')) throw error
    return (await readIdentity(storage, ctx)) ?? id // another process was first
  }
}

function changed(storage: Storage, found: string | undefined): BackupError {
  return new BackupError('storage-identity', {
    message: found
      ? `${storage.display} is another storage than the one that "${storage.name}" was before`
      : `${storage.display} has lost ${identityKey}: it is not the storage that "${storage.name}" was before`,
    hint: 'Is the volume mounted, and the path or bucket right? Nothing was written or deleted. If it was emptied or exchanged on purpose: `holdfast storage forget`.',
  })
}

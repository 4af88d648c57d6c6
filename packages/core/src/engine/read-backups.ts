import { createHash } from 'node:crypto'
import { isBackupError, messageOf } from '../backup-error.js'
import { readAll } from '../byte-stream.js'
import { type IndexedCopy, indexKeys } from '../layout/key-index.js'
import type { Manifest } from '../layout/manifest.js'
import { decodeManifest } from '../layout/manifest-file.js'
import { safeName, shortId } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import type { BackupCopy, BackupRecord, DamagedManifest } from './backup-record.js'
import { mapConcurrently } from './map-concurrently.js'
import { checkIdentity, type KnownStorages } from './storage-identity.js'
import { readVerification, type Verification } from './verification.js'

/** Manifests read at once from one storage. */
const readers = 8

/** What the storages hold, newest first. */
export interface StoredBackups {
  readonly backups: readonly BackupRecord[]
  readonly damaged: readonly DamagedManifest[]
  /** Storages that could not be read: what only they hold is not in `backups`. */
  readonly unreachable: readonly Unreachable[]
}

interface Unreachable {
  readonly storage: string
  readonly error: unknown
}

/**
 * Reads what is on the storages: the storage is the truth. A backup on several storages is one record with several
 * copies. A storage that cannot be read, or is not the one that is known, is named; it never looks like fewer backups.
 *
 * @throws the first storage's error when none can be read.
 */
export async function readBackups(
  storages: readonly Storage[],
  filter: { readonly job?: string | undefined },
  known: KnownStorages,
  ctx: RunContext,
): Promise<StoredBackups> {
  const prefix = filter.job === undefined ? '' : `${safeName(filter.job)}/`
  const read = (storage: Storage): Promise<FoundOn | Unreachable> =>
    readStorage(storage, prefix, known, ctx).catch((error: unknown) => ({ storage: storage.name, error }))
  const results = await Promise.all(storages.map(read))
  ctx.signal.throwIfAborted()
  const found = results.flatMap((result) => ('error' in result ? [] : [result]))
  const unreachable = results.flatMap((result) => ('error' in result ? [result] : []))
  if (unreachable[0] && found.length === 0) throw unreachable[0].error
  const byContent = new Map<string, { base: string; manifest: Manifest; copies: FoundCopy[] }>()
  for (const copy of found.flatMap(({ copies }) => copies)) {
    if (filter.job !== undefined && copy.manifest.job !== filter.job) continue
    const entry = byContent.get(contentOf(copy)) ?? { base: copy.base, manifest: copy.manifest, copies: [] }
    byContent.set(contentOf(copy), entry)
    entry.copies.push(copy)
  }
  const backups = [...byContent.values()].map(({ base, manifest, copies }) => toRecord(base, manifest, copies))
  return {
    backups: backups.sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime() || b.id.localeCompare(a.id)),
    damaged: found.flatMap(({ damaged }) => damaged),
    unreachable,
  }
}

/**
 * Every copy's manifest has the same bytes. One that says otherwise is a backup of its own: no copy is judged by
 * what lies on another storage.
 */
function contentOf({ base, manifest }: FoundCopy): string {
  return `${base} ${createHash('sha256').update(JSON.stringify(manifest)).digest('hex')}`
}

interface FoundCopy {
  readonly base: string
  readonly manifest: Manifest
  readonly copy: BackupCopy
  readonly verification: Verification | undefined
}

interface FoundOn {
  readonly copies: readonly FoundCopy[]
  readonly damaged: readonly DamagedManifest[]
}

async function readStorage(storage: Storage, prefix: string, known: KnownStorages, ctx: RunContext): Promise<FoundOn> {
  await checkIdentity(storage, known, ctx)
  const damaged: DamagedManifest[] = []
  const indexed = [...(await indexKeys(storage, prefix, ctx)).values()]
  const committed = indexed.flatMap((entry) => (entry.manifest ? [{ entry, key: entry.manifest.key }] : []))
  const copies = await mapConcurrently(committed, readers, async ({ entry, key }) => {
    try {
      const bytes = await readAll(storage.get(key, undefined, ctx))
      const manifest = decodeManifest(bytes, `${key} on ${storage.display}`, entry.base)
      const verification = entry.verified && (await readVerification(storage, entry.verified.key, manifest.id, ctx))
      return { base: entry.base, manifest, copy: toCopy(storage, manifest, entry, verification), verification }
    } catch (error) {
      if (isBackupError(error, 'not-found')) return undefined // deleted since it was listed
      ctx.signal.throwIfAborted()
      if (isBackupError(error) && error.retryable) throw error // the storage, not this object
      const wasRead = isBackupError(error, 'manifest-invalid') || isBackupError(error, 'manifest-too-new')
      damaged.push({ storage: storage.name, key, problem: messageOf(error), wasRead })
      return undefined
    }
  })
  return { copies: copies.filter((copy) => copy !== undefined), damaged }
}

function toCopy(
  storage: Storage,
  manifest: Manifest,
  entry: IndexedCopy,
  verification: Verification | undefined,
): BackupCopy {
  const known = {
    isPinned: entry.pin !== undefined,
    ...(verification && { verifiedAt: new Date(verification.verifiedAt) }),
    ...(verification?.test && { test: verification.test }),
  }
  for (const part of manifest.parts) {
    const object = entry.data.find(({ key }) => key === part.key)
    if (object?.size === part.storedBytes) continue
    const problem = object ? `${part.key} has ${object.size} of ${part.storedBytes} bytes` : `${part.key} is gone`
    return { storage: storage.name, status: 'missing', problem, ...known }
  }
  if (verification?.status === 'corrupt') {
    return { storage: storage.name, status: 'corrupt', problem: verification.problem ?? 'damaged', ...known }
  }
  return { storage: storage.name, status: 'complete', ...known }
}

/** A record from a manifest and what is known of its copies. */
export function toRecord(
  base: string,
  manifest: Manifest,
  found: readonly Pick<FoundCopy, 'copy' | 'verification'>[],
): BackupRecord {
  const intact = found.flatMap(({ verification }) => (verification?.status === 'intact' ? [verification] : []))
  const verifiedAt = intact
    .map((verification) => verification.verifiedAt)
    .sort()
    .at(-1)
  const test = found
    .flatMap(({ verification }) => (verification?.test ? [verification.test] : []))
    .toSorted((a, b) => a.testedAt.localeCompare(b.testedAt))
    .at(-1)
  // Without its key, a part that is encrypted is verified as stored, and of what is in it nothing is known.
  const read = intact.find(({ parts }) => parts.length === manifest.parts.length)
  const plainBytes =
    sum(manifest.parts.map((part) => part.plainBytes)) ?? sum(read?.parts.map((part) => part.plainBytes))
  return {
    base,
    id: manifest.id,
    shortId: shortId(manifest.id),
    name: base.slice(base.lastIndexOf('/') + 1),
    job: manifest.job,
    database: manifest.database,
    engine: manifest.engine,
    type: manifest.type,
    ...(manifest.label !== undefined && { label: manifest.label }),
    startedAt: new Date(manifest.startedAt),
    endedAt: new Date(manifest.endedAt),
    storedBytes: manifest.parts.reduce((total, part) => total + part.storedBytes, 0),
    ...(plainBytes !== undefined && { plainBytes }),
    copies: found.map(({ copy }) => copy),
    warnings: manifest.warnings,
    ...(verifiedAt !== undefined && { verifiedAt: new Date(verifiedAt) }),
    ...(test && { test }),
    manifest,
  }
}

function sum(sizes: readonly (number | undefined)[] = [undefined]): number | undefined {
  return sizes.reduce((total, size) => (total === undefined || size === undefined ? undefined : total + size), 0)
}

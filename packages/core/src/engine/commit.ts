import { BackupError, isBackupError, messageOf } from '../backup-error.js'
import { streamOf } from '../byte-stream.js'
import type { CopyOutcome } from '../layout/layout.js'
import type { Manifest, ManifestPart } from '../layout/manifest.js'
import { decodeManifest, encodeManifest } from '../layout/manifest-file.js'
import { manifestKey } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Metadata, Storage } from '../storage/storage.js'
import type { Lease } from './lease.js'

/** What {@link commit} needs to know. */
export interface Commit {
  readonly manifest: Manifest
  readonly base: string
  readonly copies: readonly CopyOutcome[]
  readonly leases: ReadonlyMap<string, Lease>
  readonly metadata: Metadata
}

/**
 * Writes the manifest to each storage whose data is complete: **the commit point** of that copy. The lease is checked
 * just before, so that a run which was paused while another took over commits nothing there.
 *
 * @returns The copies as they stand now; one whose manifest could not be written has failed.
 * @throws {BackupError} `internal` for a manifest that no reader would accept; `lease-lost` where nothing was committed
 *   for want of a lease; the reason of an abort while nothing is committed yet.
 */
export async function commit(given: Commit, ctx: RunContext): Promise<readonly CopyOutcome[]> {
  const file = readable(given)
  const outcomes: CopyOutcome[] = []
  const isCommitted = (): boolean => outcomes.some(({ status }) => status === 'complete')
  for (const copy of given.copies) {
    outcomes.push(copy.status === 'complete' ? await commitCopy(copy, given, file, ctx) : copy)
    if (!isCommitted()) ctx.signal.throwIfAborted()
  }
  if (isCommitted()) return outcomes
  const fenced = outcomes.find((copy) => copy.status === 'failed' && isBackupError(copy.error, 'lease-lost'))
  if (fenced?.status === 'failed') throw fenced.error
  return outcomes
}

/** What could be written and not be read would be acknowledged, and never be seen again. */
function readable({ manifest, base }: Commit): Buffer {
  const file = encodeManifest(manifest)
  const key = manifestKey(base)
  try {
    decodeManifest(file, key, base)
    return file
  } catch (cause) {
    const message = `The manifest of this backup could not be read again, so nothing was committed: ${messageOf(cause)}`
    throw new BackupError('internal', { message, cause })
  }
}

async function commitCopy(
  copy: CopyOutcome,
  { manifest, base, leases, metadata }: Commit,
  file: Buffer,
  ctx: RunContext,
): Promise<CopyOutcome> {
  const { storage } = copy
  try {
    await leases.get(storage.name)?.check()
    await requireData(storage, manifest.parts, ctx)
    await storage.put(manifestKey(base), streamOf(file), { ifAbsent: true, metadata }, ctx)
    ctx.report({ type: 'copy', storage: storage.name, status: 'complete' })
    return copy
  } catch (error) {
    const message = messageOf(error)
    ctx.log.warn(`The manifest could not be written to ${storage.name}: ${message}`)
    ctx.report({ type: 'copy', storage: storage.name, status: 'failed', message })
    return { storage, status: 'failed', error }
  }
}

/** Something may have emptied the storage since: a manifest without its data would be a promise that cannot be kept. */
async function requireData(storage: Storage, parts: readonly ManifestPart[], ctx: RunContext): Promise<void> {
  for (const { key, storedBytes } of parts) {
    const size = (await storage.stat(key, ctx))?.size
    if (size === storedBytes) continue
    throw new BackupError('corrupt', {
      message: `${storage.display} ${size === undefined ? 'has lost' : 'has changed'} ${key} since it was written`,
      hint: 'Something else deletes or writes there. Nothing was committed on it.',
      retryable: true,
    })
  }
}

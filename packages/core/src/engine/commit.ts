import { BackupError, isBackupError, messageOf } from '../backup-error.js'
import { streamOf } from '../byte-stream.js'
import type { CopyOutcome } from '../layout/layout.js'
import type { Manifest, ManifestPart } from '../layout/manifest.js'
import { encodeManifest } from '../layout/manifest-file.js'
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
 * @throws {BackupError} `lease-lost`, or the reason of an abort, while nothing is committed yet.
 */
export async function commit(given: Commit, ctx: RunContext): Promise<readonly CopyOutcome[]> {
  const file = encodeManifest(given.manifest)
  const outcomes: CopyOutcome[] = []
  for (const copy of given.copies) {
    const outcome = copy.status === 'complete' ? await commitCopy(copy, given, file, ctx) : copy
    const committed = [...outcomes, outcome].some(({ status }) => status === 'complete')
    if (!committed) {
      ctx.signal.throwIfAborted()
      if (outcome.status === 'failed' && isBackupError(outcome.error, 'lease-lost')) throw outcome.error
    }
    outcomes.push(outcome)
  }
  return outcomes
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

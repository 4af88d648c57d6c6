import { BackupError, isBackupError, messageOf } from '../backup-error.js'
import type { DumpPart, RestoreSource } from '../driver/driver.js'
import type { RunContext } from '../run-context.js'
import { removeQuietly } from '../storage/remove-quietly.js'
import type { Storage } from '../storage/storage.js'
import { indexKeys } from './key-index.js'
import type { CopyOutcome, Layout, ReadPlan, SweepReport, WritePlan, WrittenData } from './layout.js'
import type { Manifest, ManifestPart } from './manifest.js'
import { manifestKey, safeName } from './object-names.js'
import { plainBytes, storedBytes } from './read-part.js'
import { requireCopies } from './require-copies.js'
import { type WrittenPart, writePart } from './write-part.js'

/** The layout of format version 1: a part is one object. */
export const wholeObjectLayout: Layout = { id: 'whole/1', write, read, sweep }

async function write(parts: AsyncIterable<DumpPart>, plan: WritePlan, ctx: RunContext): Promise<WrittenData> {
  const described: ManifestPart[] = []
  const keys: string[] = []
  let copies: readonly CopyOutcome[] = plan.storages.map((storage) => ({ storage, status: 'complete' }))
  try {
    for await (const part of parts) {
      const written = await writePart(part, plan, storagesOf(copies, 'complete'), ctx)
      copies = await dropFailed(copies, written, keys, ctx)
      keys.push(written.key)
      requireCopies(copies, plan.minCopies)
      described.push(written.describe())
    }
  } catch (error) {
    await Promise.all(storagesOf(copies, 'complete').map((storage) => removeQuietly(storage, keys, ctx)))
    throw error
  }
  return { parts: described, copies }
}

/** Merges the outcome of a part into that of the whole, and removes all parts of a copy that failed now. */
async function dropFailed(
  before: readonly CopyOutcome[],
  now: WrittenPart,
  earlierKeys: readonly string[],
  ctx: RunContext,
): Promise<readonly CopyOutcome[]> {
  for (const copy of now.copies) {
    if (copy.status === 'complete') continue
    const message = messageOf(copy.error)
    ctx.log.warn(`The copy on ${copy.storage.name} failed: ${message}`)
    ctx.report({ type: 'copy', storage: copy.storage.name, status: 'failed', message })
    // An object that was there before this run is not ours to remove.
    const ours = isBackupError(copy.error, 'already-exists') ? earlierKeys : [...earlierKeys, now.key]
    await removeQuietly(copy.storage, ours, ctx)
  }
  return before.map((copy) => now.copies.find(({ storage }) => storage === copy.storage) ?? copy)
}

function storagesOf(copies: readonly CopyOutcome[], status: CopyOutcome['status']): readonly Storage[] {
  return copies.filter((copy) => copy.status === status).map((copy) => copy.storage)
}

function read(manifest: Manifest, { storage, cipher }: ReadPlan): RestoreSource {
  return {
    manifest,
    parts: manifest.parts,
    open(name, ctx) {
      const part = manifest.parts.find((candidate) => candidate.name === name)
      if (!part) throw new BackupError('no-match', { message: `Backup ${manifest.id} has no part ${name}` })
      return plainBytes(part, storedBytes(part, storage, 'restore', ctx), cipher, ctx).stream
    },
  }
}

async function sweep(
  on: Storage,
  which: { readonly jobs: readonly string[]; readonly before: Date },
  ctx: RunContext,
): Promise<SweepReport> {
  const removed: { key: string; size: number }[] = []
  for (const job of which.jobs) {
    for (const copy of (await indexKeys(on, `${safeName(job)}/`, ctx)).values()) {
      const times = [copy.startedAt, ...[...copy.data, ...copy.notes].map(({ modifiedAt }) => modifiedAt)]
      const settled = times.every((time) => time < which.before)
      if (copy.manifest || !settled) continue
      if (await on.stat(manifestKey(copy.base), ctx)) continue // it came since the listing
      for (const object of [...copy.data, ...copy.notes]) {
        await on.delete(object.key, ctx)
        removed.push(object)
      }
    }
  }
  return { keys: removed.map(({ key }) => key), bytes: removed.reduce((sum, { size }) => sum + size, 0) }
}

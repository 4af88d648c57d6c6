import { messageOf } from '../backup-error.js'
import { streamOf } from '../byte-stream.js'
import type { CopyOutcome } from '../layout/layout.js'
import type { Manifest } from '../layout/manifest.js'
import { encodeManifest } from '../layout/manifest-file.js'
import { manifestKey } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Lease } from './lease.js'

/**
 * Writes the manifest to each storage whose data is complete: **the commit point** of that copy. The lease is checked
 * just before, so that a run which was paused while another took over commits nothing.
 *
 * @returns The copies as they stand now; one whose manifest could not be written has failed.
 * @throws {BackupError} `lease-lost` while nothing is committed yet.
 */
export async function commit(
  manifest: Manifest,
  base: string,
  copies: readonly CopyOutcome[],
  leases: ReadonlyMap<string, Lease>,
  ctx: RunContext,
): Promise<readonly CopyOutcome[]> {
  const file = encodeManifest(manifest)
  for (const copy of copies) if (copy.status === 'complete') await leases.get(copy.storage.name)?.check()
  const outcomes: CopyOutcome[] = []
  for (const copy of copies) outcomes.push(copy.status === 'complete' ? await commitCopy(copy, base, file, ctx) : copy)
  return outcomes
}

async function commitCopy(copy: CopyOutcome, base: string, file: Buffer, ctx: RunContext): Promise<CopyOutcome> {
  const { storage } = copy
  try {
    await storage.put(manifestKey(base), streamOf(file), { ifAbsent: true }, ctx)
    ctx.report({ type: 'copy', storage: storage.name, status: 'complete' })
    return copy
  } catch (error) {
    const message = messageOf(error)
    ctx.log.warn(`The manifest could not be written to ${storage.name}: ${message}`)
    ctx.report({ type: 'copy', storage: storage.name, status: 'failed', message })
    return { storage, status: 'failed', error }
  }
}

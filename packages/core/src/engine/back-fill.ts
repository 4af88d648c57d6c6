import { messageOf } from '../backup-error.js'
import { readAll } from '../byte-stream.js'
import { type IndexedCopy, indexKeys } from '../layout/key-index.js'
import type { Manifest } from '../layout/manifest.js'
import { decodeManifest } from '../layout/manifest-file.js'
import { manifestKey, safeName } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import { copyBackup } from './copy-backup.js'
import { copyPin } from './copy-pin.js'
import type { Lease } from './lease.js'

/** A copy that was filled in from another storage. */
export interface FilledCopy {
  readonly base: string
  readonly from: string
  readonly to: string
}

/** A backup that is owed to a storage. */
export interface OwedBackup {
  readonly base: string
  readonly manifest: Manifest
  /** Whether it is pinned, on whichever storage. */
  readonly isPinned: boolean
}

/** Says whether a backup that is owed to a storage would stay there. */
export type IsWanted = (to: Storage, backup: OwedBackup) => Promise<boolean>

/**
 * Fills in what earlier runs of the job could not write: a copy that failed, or whose data is there and whose
 * manifest is not (the run was killed between two storages). A copy that was deleted leaves neither trace, and stays
 * deleted, unless it had failed when the backup was made. Younger backups first; a copy that fails again is left for the
 * next run.
 *
 * @param leases - The storages that may be written, and by what right.
 */
export async function backFill(
  job: string,
  leases: ReadonlyMap<Storage, Pick<Lease, 'check'>>,
  since: Date,
  isWanted: IsWanted,
  ctx: RunContext,
): Promise<readonly FilledCopy[]> {
  const indexes = new Map<Storage, ReadonlyMap<string, IndexedCopy>>()
  for (const storage of leases.keys()) indexes.set(storage, await indexKeys(storage, `${safeName(job)}/`, ctx))
  const filled: FilledCopy[] = []
  for (const gap of findGaps(indexes, since)) {
    const fence = async (): Promise<void> => leases.get(gap.to)?.check()
    const from = await fill(gap, fence, isWanted, ctx)
    if (from) filled.push({ base: gap.base, from: from.name, to: gap.to.name })
  }
  return filled
}

/** Fills in one copy from the first holder whose own is whole; returns that holder. */
async function fill(
  gap: Gap,
  fence: () => Promise<void>,
  isWanted: IsWanted,
  ctx: RunContext,
): Promise<Storage | undefined> {
  const { base, to, pinnedOn } = gap
  for (const from of gap.holders) {
    try {
      const manifest = await readManifest(base, from, ctx)
      if (!isOwed(gap, manifest) || !(await isWanted(to, { base, manifest, isPinned: pinnedOn !== undefined }))) {
        return undefined
      }
      ctx.report({ type: 'stage', stage: 'back-fill', detail: `${base} from ${from.name} to ${to.name}` })
      await copyBackup(base, from, to, fence, ctx)
      if (pinnedOn) await copyPin(base, pinnedOn, to, ctx)
      ctx.log.info(`Filled in the copy of ${base} on ${to.name} from ${from.name}`)
      return from
    } catch (error) {
      ctx.signal.throwIfAborted()
      ctx.log.warn(`The copy of ${base} on ${to.name} could not be filled in from ${from.name}: ${messageOf(error)}`)
    }
  }
  return undefined
}

interface Gap {
  readonly base: string
  /** Storages that hold the backup. */
  readonly holders: readonly Storage[]
  readonly to: Storage
  /** A storage with a pin of the backup, where it is pinned. */
  readonly pinnedOn: Storage | undefined
  /** What lies on `to` without a manifest. */
  readonly leftovers: boolean
}

function findGaps(indexes: ReadonlyMap<Storage, ReadonlyMap<string, IndexedCopy>>, since: Date): readonly Gap[] {
  const entries = [...indexes.values()]
    .flatMap((index) => [...index.values()])
    .filter((copy) => copy.startedAt >= since)
  entries.sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime())
  const gaps: Gap[] = []
  for (const base of new Set(entries.map((copy) => copy.base))) {
    const holders = [...indexes].flatMap(([storage, index]) => (index.get(base)?.manifest ? [storage] : []))
    if (holders.length === 0) continue
    const pinnedOn = [...indexes].find(([, index]) => index.get(base)?.pin)?.[0]
    for (const [to, index] of indexes) {
      const copy = index.get(base)
      if (!copy?.manifest) gaps.push({ base, holders, to, pinnedOn, leftovers: (copy?.data.length ?? 0) > 0 })
    }
  }
  return gaps
}

async function readManifest(base: string, from: Storage, ctx: RunContext): Promise<Manifest> {
  const key = manifestKey(base)
  return decodeManifest(await readAll(from.get(key, undefined, ctx)), `${key} on ${from.display}`, base)
}

function isOwed({ to, leftovers }: Gap, { copies }: Manifest): boolean {
  return leftovers || copies.some(({ storage, status }) => storage === to.name && status === 'failed')
}

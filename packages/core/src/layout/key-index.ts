import type { RunContext } from '../run-context.js'
import type { Storage, StoredObject } from '../storage/storage.js'
import { parseKey } from './object-names.js'

/** The objects of one copy of one backup, as a listing shows them. */
export interface IndexedCopy {
  readonly base: string
  readonly shortId: string
  readonly startedAt: Date
  readonly manifest: StoredObject | undefined
  /** Present once the copy has been verified. */
  readonly verified: StoredObject | undefined
  /** Present while the backup is pinned. */
  readonly pin: StoredObject | undefined
  readonly data: readonly StoredObject[]
  /** What is neither manifest nor data: verification results, pins, and what a later version may add. */
  readonly notes: readonly StoredObject[]
}

/**
 * Lists a storage once and groups what follows our grammar by backup. Foreign keys are passed over.
 *
 * @param prefix - `''`, or a safe job name and `/`.
 */
export async function indexKeys(
  storage: Storage,
  prefix: string,
  ctx: RunContext,
): Promise<ReadonlyMap<string, IndexedCopy>> {
  const copies = new Map<string, Found>()
  for await (const object of storage.list(prefix, ctx)) {
    const parsed = parseKey(object.key)
    if (!parsed) continue
    const copy = copies.get(parsed.base) ?? {
      shortId: parsed.shortId,
      startedAt: parsed.startedAt,
      data: [],
      notes: [],
    }
    copies.set(parsed.base, copy)
    if (parsed.kind === 'data') copy.data.push(object)
    else if (parsed.kind === 'manifest') copy.manifest = object
    else copy.notes.push(object)
    if (parsed.kind === 'verified') copy.verified = object
    if (parsed.kind === 'pin') copy.pin = object
  }
  return new Map(
    [...copies].map(([base, { manifest, verified, pin, ...found }]) => [
      base,
      { base, ...found, manifest, verified, pin },
    ]),
  )
}

interface Found {
  readonly shortId: string
  readonly startedAt: Date
  readonly data: StoredObject[]
  readonly notes: StoredObject[]
  manifest?: StoredObject
  verified?: StoredObject
  pin?: StoredObject
}

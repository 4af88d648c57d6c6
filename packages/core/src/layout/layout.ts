import type { Cipher } from '../cipher/cipher.js'
import type { Codec } from '../codec/codec.js'
import type { DumpPart, RestoreSource } from '../driver/driver.js'
import type { RunContext } from '../run-context.js'
import type { Metadata, Storage } from '../storage/storage.js'
import type { Manifest, ManifestPart } from './manifest.js'

/**
 * How a dump becomes objects, and objects a dump again. It stands above codec and cipher, so that another layout
 * (chunked, deduplicating) can come without touching a driver or a storage.
 */
export interface Layout {
  /** Name in the manifest. Never renamed. */
  readonly id: Manifest['layout']
  /**
   * Writes the parts to every storage of the plan in one pass. Data only: without a manifest it is no backup.
   * A copy that fails drops out; its objects are removed.
   *
   * @throws {BackupError} `too-few-copies` when fewer than `plan.minCopies` are left. Whatever it throws, nothing
   *   that it wrote is left behind.
   */
  write(parts: AsyncIterable<DumpPart>, plan: WritePlan, ctx: RunContext): Promise<WrittenData>
  /** Opens a backup for reading. */
  read(manifest: Manifest, plan: ReadPlan): RestoreSource
  /** Removes data that never became a backup: of our grammar, of `jobs`, without a manifest, older than `before`. */
  sweep(
    on: Storage,
    which: { readonly jobs: readonly string[]; readonly before: Date },
    ctx: RunContext,
  ): Promise<SweepReport>
}

/** Where and how to write. */
export interface WritePlan {
  /** What all keys of the backup begin with; see {@link baseKey}. */
  readonly base: string
  readonly storages: readonly Storage[]
  readonly minCopies: number
  readonly codec: Codec
  readonly cipher?: Cipher
  /** Milliseconds for which a copy may accept no byte before it is given up. */
  readonly stallTimeoutMs: number
  /** Goes with each object, on storages that can keep it. */
  readonly metadata: Metadata
}

/** What was written. */
export interface WrittenData {
  readonly parts: readonly ManifestPart[]
  readonly copies: readonly CopyOutcome[]
}

/** How the data of one copy fared. */
export type CopyOutcome =
  | { readonly storage: Storage; readonly status: 'complete' }
  | { readonly storage: Storage; readonly status: 'failed'; readonly error: unknown }

/** From where and how to read. */
export interface ReadPlan {
  readonly storage: Storage
  readonly cipher?: Cipher
}

/** What a sweep removed. */
export interface SweepReport {
  readonly keys: readonly string[]
  readonly bytes: number
}

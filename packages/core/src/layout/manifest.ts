/** The version of the storage format that this package writes; see docs/format.md. */
export const formatVersion = 1

/** When a backup was made, for its name: a preset of the schedule, `custom` for another cron, `manual` by hand. */
export type BackupType = (typeof backupTypes)[number]

/** Every {@link BackupType}. */
export const backupTypes = ['hourly', 'daily', 'weekly', 'monthly', 'custom', 'manual'] as const

/**
 * The record beside the data that makes it a backup. Written last and never changed; the same bytes on each storage.
 * docs/format.md describes it field by field.
 */
export interface Manifest {
  readonly formatVersion: typeof formatVersion
  /** UUIDv7. */
  readonly id: string
  readonly layout: 'whole/1'
  readonly job: string
  readonly type: BackupType
  /** True name of the database, as the engine knows it. */
  readonly database: string
  readonly engine: string
  readonly serverVersion: string
  /** Versions of the programs that made the dump, by name. */
  readonly tools: Readonly<Record<string, string>>
  /** Options of the dump. */
  readonly options: Readonly<Record<string, unknown>>
  /** UTC, ISO 8601 with milliseconds. */
  readonly startedAt: string
  readonly endedAt: string
  readonly label?: string
  /** Where the run meant to put it, and how each copy had fared when this was written. */
  readonly copies: readonly ManifestCopy[]
  readonly parts: readonly ManifestPart[]
  readonly inventory?: Inventory
  readonly warnings: readonly string[]
  /** Version of Holdfast. */
  readonly holdfast: string
  /** Shell line that restores the main part with standard tools. */
  readonly recover: string
}

/** How a copy had fared when the manifest was written. Its own manifest beside the data says whether it is whole now. */
export interface ManifestCopy {
  readonly storage: string
  readonly status: 'complete' | 'failed'
}

/** One object of data. */
export interface ManifestPart {
  /** `dump`, `sql`, `globals.sql`. */
  readonly name: string
  readonly mediaType: string
  /** Key relative to the storage's root. */
  readonly key: string
  readonly storedBytes: number
  /** SHA-256 of the stored bytes, 64 hexadecimal digits. */
  readonly storedSha256: string
  /** Of the plain bytes, where they passed through the process that wrote them. */
  readonly plainBytes?: number
  readonly plainSha256?: string
  readonly codec: string
  readonly cipher?: { readonly id: string; readonly keyIds: readonly string[] }
  /** Text within the last 512 plain bytes. */
  readonly trailer?: string
}

/** What the dumped state held. */
export interface Inventory {
  readonly level: 'counts' | 'checksums'
  /** Whether it is of exactly the dumped state (one snapshot), or was taken about the same time. */
  readonly exact: boolean
  readonly tables: readonly InventoryTable[]
}

/** One table of an {@link Inventory}. */
export interface InventoryTable {
  readonly schema?: string
  readonly name: string
  readonly rows: number
  /** Over all rows in an order of the driver's choice; comparable between inventories of one driver only. */
  readonly checksum?: string
}

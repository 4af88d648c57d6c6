import type { BackupType, Manifest } from '../layout/manifest.js'
import type { TestRestore } from './proof/test-restore-result.js'

/** A backup, as the storages know it. */
export interface BackupRecord {
  /** UUIDv7. */
  readonly id: string
  /** The last 8 digits of the id: enough to name it. */
  readonly shortId: string
  /** `{database}_{type}_{yyyymmdd}_{hhmmss}_{shortId}`: what its objects are called. */
  readonly name: string
  /** What the keys of its objects begin with: `{job}/{yyyy}/{mm}/{name}`. */
  readonly base: string
  readonly job: string
  readonly database: string
  readonly engine: string
  readonly type: BackupType
  readonly label?: string
  readonly startedAt: Date
  readonly endedAt: Date
  /** Bytes of all parts on one storage. */
  readonly storedBytes: number
  /** Bytes of all parts as dumped, where known: from the dump, else from a verification. */
  readonly plainBytes?: number
  readonly copies: readonly BackupCopy[]
  readonly warnings: readonly string[]
  /** Latest time at which some copy was found intact. */
  readonly verifiedAt?: Date
  /** The latest test restore of some copy. */
  readonly test?: TestRestore
  readonly manifest: Manifest
}

/** A backup as it lies on one storage. */
export interface BackupCopy {
  readonly storage: string
  /**
   * `complete`: manifest and all data are there, at their sizes. `missing`: an object of data is gone or has another
   * size. `corrupt`: the last verification found damage.
   */
  readonly status: 'complete' | 'missing' | 'corrupt'
  /** What is wrong, if something is. */
  readonly problem?: string
  /** Whether somebody has asked for it to stay: retention never deletes it. */
  readonly isPinned: boolean
  readonly verifiedAt?: Date
  /** The latest test restore of this copy. */
  readonly test?: TestRestore
}

/** A manifest that cannot be trusted or read. It makes no backup; nothing deletes it by itself. */
export interface DamagedManifest {
  readonly storage: string
  readonly key: string
  readonly problem: string
  /** Whether its bytes could be read: then they are what is wrong. Else there may be a backup. */
  readonly wasRead: boolean
}

import type { ByteStream } from '../byte-stream.js'
import type { Driver, RestoreRequest } from '../driver/driver.js'
import type { BackupRecord } from '../engine/backup-record.js'
import type { TestRestore } from '../engine/proof/test-restore-result.js'
import type { BackupRun } from '../engine/run-backup.js'
import type { RestoreRun } from '../engine/run-restore.js'
import type { Verification } from '../engine/verification.js'
import type { BackupType, ManifestPart } from '../layout/manifest.js'
import type { ProgressEvent } from '../run-context.js'
import type { TestRestoreConfig } from '../verify-config.js'

/** What every call takes. */
export interface CallOptions {
  /** Aborts the call; it rejects with the signal's reason and leaves nothing half-published. */
  readonly signal?: AbortSignal
  readonly onProgress?: (event: ProgressEvent) => void
}

/** Which backups a call is about. */
export interface Scope {
  /** Only backups of this job. */
  readonly job?: string
  /** Only what lies on this storage. */
  readonly storage?: string
}

/** Options of {@link Holdfast.backup}. */
export interface BackupOptions extends CallOptions {
  /** Default `manual`. */
  readonly type?: BackupType
  /** A note that the manifest keeps. */
  readonly label?: string
}

/** What {@link Holdfast.backup} made. */
export interface BackupResult extends Pick<BackupRun, 'status' | 'filled' | 'durationMs'> {
  readonly backup: BackupRecord
  /** Every storage of the job, and how its copy fared. */
  readonly copies: readonly {
    readonly storage: string
    readonly status: 'complete' | 'failed'
    readonly error?: string
  }[]
  readonly warnings: readonly string[]
}

/** Options of {@link Holdfast.restore}. */
export interface RestoreOptions
  extends CallOptions,
    Scope,
    Omit<RestoreRequest, 'mode'>,
    Partial<Pick<RestoreRequest, 'mode'>> {
  /** A driver bound to the target database. Default: the source of the backup's job. */
  readonly into?: Driver
}

/** What {@link Holdfast.restore} did. */
export interface RestoreResult extends RestoreRun {
  readonly backup: BackupRecord
  /** What may be shown of the target. */
  readonly target: string
}

/** Options of {@link Holdfast.verify}. */
export interface VerifyOptions extends CallOptions, Scope {
  /** Reads the dump with the engine's own tool. Default: the source of the backup's job, or of any job of its engine. */
  readonly driver?: Driver
  /**
   * Restore one copy into a scratch database, and compare what was restored with what was dumped. `true`: as the job's
   * `verify.testRestore` says, else beside its source.
   */
  readonly testRestore?: boolean | Pick<TestRestoreConfig, 'on' | 'assertions'>
}

/** What {@link Holdfast.verify} found. */
export interface VerifyResult {
  readonly backup: BackupRecord
  /**
   * `corrupt` if any copy is, or if the test restore did not bring back what was dumped; else `unreadable` if any copy
   * could not be read at all.
   */
  readonly status: CopyVerification['status']
  readonly copies: readonly CopyVerification[]
  /** Of the copy on `storage`, where a test restore was asked for and some copy was whole. */
  readonly test?: TestRestore & { readonly storage: string }
}

/** What {@link Holdfast.verify} found of one copy. */
export type CopyVerification =
  | (Verification & { readonly storage: string })
  | { readonly storage: string; readonly status: 'unreadable'; readonly problem: string; readonly error: unknown }

/** A part of a backup, open for reading. */
export interface OpenedPart {
  readonly part: ManifestPart
  /** File name of what is read: without the codec's extension where it is plain. */
  readonly fileName: string
  readonly stream: ByteStream
}

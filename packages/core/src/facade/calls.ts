import type { ByteStream } from '../byte-stream.js'
import type {
  AsideDatabase,
  DatabaseInfo,
  Driver,
  PreflightProblem,
  Replaced,
  RestoreRequest,
} from '../driver/driver.js'
import type { Duration } from '../duration.js'
import type { Assertion } from '../engine/assertions.js'
import type { BackupRecord } from '../engine/backup-record.js'
import type { TestRestore } from '../engine/proof/test-restore-result.js'
import type { RestoreWay } from '../engine/restore-way.js'
import type { BackupRun } from '../engine/run-backup.js'
import type { RestoreRun } from '../engine/run-restore.js'
import type { Verification } from '../engine/verification.js'
import type { BackupType, ManifestPart } from '../layout/manifest.js'
import type { RetentionStrategy } from '../retention/retention-strategy.js'
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
export interface BackupResult extends Pick<BackupRun, 'status' | 'filled' | 'pruned' | 'durationMs'> {
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
export interface RestoreOptions extends CallOptions, Scope, Omit<RestoreRequest, 'mode'> {
  /** A driver bound to the target database. Default: the source of the backup's job. */
  readonly into?: Driver
  /** Default: `create` where the target is missing or empty, `staged` where it holds data. */
  readonly mode?: RestoreWay
  /** What has to be true of the restored database before it takes the place of the target. */
  readonly assertions?: readonly Assertion[]
  /**
   * How long a staged restore means to keep what was there before; `false` drops it at once, as `replace` does. Nothing
   * drops it by itself: {@link Holdfast.cleanup} does. Default `'24h'`.
   */
  readonly keepOld?: Duration | false
  /** Back up what the target holds first, by the job whose source it is. Default `false`. */
  readonly safetyBackup?: boolean
}

/** What {@link Holdfast.restore} did. */
export interface RestoreResult extends Omit<RestoreRun, 'oldName'> {
  readonly backup: BackupRecord
  /** What may be shown of the target. */
  readonly target: string
  /** What was in the target before, where it is kept. */
  readonly old?: KeptOld
  /** The backup that was taken first. */
  readonly safetyBackup?: BackupRecord
}

/** A database that a staged restore has put aside. */
export interface KeptOld {
  readonly name: string
  /** When {@link Holdfast.cleanup} may drop it. */
  readonly keepUntil: Date
  /** Whether `cleanup` knows that by itself; with a driver that cannot note it, give `cleanup` the same `keepOld`. */
  readonly isNoted: boolean
  /** How to go back to it, in a sentence. */
  readonly goBack: string
}

/** What {@link Holdfast.previewRestore} found. Nothing was touched. */
export interface RestorePreview {
  readonly backup: BackupRecord
  /** What may be shown of the target. */
  readonly target: string
  /** The mode that the restore would have. */
  readonly mode: RestoreWay
  /** The target as it is; absent if it does not exist. */
  readonly database?: DatabaseInfo
  /** What would keep the restore from working. */
  readonly problems: readonly PreflightProblem[]
  readonly warnings: readonly string[]
}

/** A database: the name of a job, for its source, or a driver. */
export type DatabaseChoice = string | Driver

/** Options of {@link Holdfast.plan}. */
export interface PlanOptions extends CallOptions {
  /** On these, whether they are storages of the job or not. Default: those of the job. */
  readonly storages?: readonly string[]
  /** Instead of the job's own. */
  readonly retention?: RetentionStrategy
}

/** Options of {@link Holdfast.prune}. */
export interface PruneOptions extends PlanOptions {
  /** Delete although a {@link RetentionPlan.hold} says not to, where a person may decide that. Default `false`. */
  readonly force?: boolean
}

/** Options of {@link Holdfast.undo}. */
export interface UndoOptions extends CallOptions {
  /** Name of the database to take back. Default: the one that was replaced last. */
  readonly name?: string
  /** Whether to end other connections. Default `false`: `target-in-use` where there are any. */
  readonly terminateConnections?: boolean
}

/** What {@link Holdfast.undo} did. */
export interface UndoResult extends Replaced {
  /** What may be shown of the database. */
  readonly target: string
  /** What the database that has the name again was called. */
  readonly name: string
}

/** Something that a staged restore left beside a database. */
export interface AsideRecord extends Pick<AsideDatabase, 'name' | 'kind' | 'since' | 'sizeBytes'> {
  /** What may be shown of the database that it stands beside. */
  readonly target: string
  /**
   * When {@link Holdfast.cleanup} may drop it: what the restore that put it aside was told, else a day after it was put
   * aside or begun.
   */
  readonly keepUntil: Date
}

/** Options of {@link Holdfast.cleanup}. */
export interface CleanupOptions extends CallOptions {
  /** Drops what is older, whatever was noted with it. Default: what is over its time, see {@link AsideRecord}. */
  readonly keepOld?: Duration
  /** Drops everything. */
  readonly all?: boolean
  /** Drops none but those of these names: what somebody was shown who has agreed. */
  readonly names?: readonly string[]
}

/** What {@link Holdfast.cleanup} did. */
export interface CleanupResult {
  readonly dropped: readonly AsideRecord[]
  /** Its time has not come: see its `keepUntil`. */
  readonly kept: readonly AsideRecord[]
  /** What could not be dropped; the error has a hint. */
  readonly failed: readonly (AsideRecord & { readonly problem: string; readonly error: unknown })[]
  /** Databases of which it is not known what stands beside them, for their server did not say. */
  readonly unreachable: readonly { readonly target: string; readonly error: unknown }[]
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
   * `corrupt` if any copy is, or if the test restore did not bring back what was dumped; else `assertion-failed` if it
   * did, and an assertion does not hold of it; else `unreadable` if any copy could not be read at all.
   */
  readonly status: CopyVerification['status'] | 'assertion-failed'
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

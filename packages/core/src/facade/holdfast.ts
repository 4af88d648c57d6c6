import type { BackupRecord } from '../engine/backup-record.js'
import type { RetentionPlan } from '../engine/plan-retention.js'
import type { DueVerification } from '../engine/proof/due-verifications.js'
import type { PruneResult } from '../engine/prune-backups.js'
import type { StoredBackups } from '../engine/read-backups.js'
import type { DumpFile } from '../foreign/dump-file.js'
import type {
  AsideRecord,
  BackupOptions,
  BackupResult,
  CallOptions,
  CleanupOptions,
  CleanupResult,
  DatabaseChoice,
  OpenedPart,
  PlanOptions,
  PruneOptions,
  RestoreOptions,
  RestorePreview,
  RestoreResult,
  Scope,
  UndoOptions,
  UndoResult,
  VerifyOptions,
  VerifyResult,
} from './calls.js'
import type { RestoreFileOptions, RestoreFileResult } from './restore-file.js'

/** Backups of some databases on some storages: what {@link createHoldfast} returns. */
export interface Holdfast extends AsyncDisposable {
  /** Names of the jobs. */
  readonly jobs: readonly string[]
  /** Names of the storages. */
  readonly storages: readonly string[]
  /**
   * Takes a backup now.
   *
   * @param job - May be left out when there is one job only.
   * @returns once the manifest is durable on every storage that works, copies that earlier runs owe are filled in, and
   *   what retention does not keep is deleted; `partial` if some storage failed.
   * @throws {BackupError} when fewer than `minCopies` copies are complete.
   */
  backup(job?: string, options?: BackupOptions): Promise<BackupResult>
  /**
   * Restores the backup that `selector` names: an id or its beginning, `latest`, `latest~1`, or a job. Into a database
   * that holds data it restores aside, looks whether all is well, and changes places.
   *
   * @throws {BackupError} `restore-refused`, `target-not-empty`, `target-in-use`, `config-invalid` before anything was
   *   touched; `corrupt` when no copy is whole; `restore-failed`, also where an assertion does not hold.
   */
  restore(selector: string, options?: RestoreOptions): Promise<RestoreResult>
  /** What {@link Holdfast.restore} would do, and what would keep it from working. Touches nothing. */
  previewRestore(selector: string, options?: RestoreOptions): Promise<RestorePreview>
  /**
   * Restores a dump from a file, whoever made it: see {@link dumpOnDisk}, {@link dumpOnStorage}, {@link dumpFromStream}.
   * A file of a backup, whose manifest lies beside it, is restored as that backup; anything else is known by its
   * content, through compression and encryption.
   *
   * @throws {BackupError} `restore-refused` for what is no dump that can be restored; `wrong-key`; and as
   *   {@link Holdfast.restore}.
   */
  restoreFile(file: DumpFile, options: RestoreFileOptions): Promise<RestoreFileResult>
  /**
   * Puts back what the last staged restore into a database has put aside; what is there now is put aside in its turn.
   *
   * @param database - May be left out when there is one job only.
   * @throws {BackupError} `no-match` when there is nothing to go back to; `target-in-use`.
   */
  undo(database?: DatabaseChoice, options?: UndoOptions): Promise<UndoResult>
  /** What staged restores have left beside a database, or beside those of all jobs; newest first. */
  asides(database?: DatabaseChoice, options?: CallOptions): Promise<readonly AsideRecord[]>
  /** Drops what staged restores have left beside a database, or beside those of all jobs, once it is old enough. */
  cleanup(database?: DatabaseChoice, options?: CleanupOptions): Promise<CleanupResult>
  /**
   * Re-reads every copy of a backup to its end; with `testRestore` one of them is restored into a scratch database that
   * is compared with what was dumped, and dropped. Damage is a result, and so is a copy that cannot be read now.
   *
   * @throws {BackupError} what keeps a test restore from being made: `restore-refused`, `source-unreachable`, `wrong-key`.
   */
  verify(selector: string, options?: VerifyOptions): Promise<VerifyResult>
  /** What is to be verified now, by the `verify` settings of the jobs and the notes of earlier verifications. */
  dueVerifications(scope?: Scope & CallOptions): Promise<readonly DueVerification[]>
  /**
   * What retention would keep and delete of a job's backups, on each of its storages, and why. Touches nothing.
   *
   * @param job - May be left out when there is one job only. One that is not configured needs `options.retention`.
   * @throws {BackupError} `config-invalid` when nothing says what is to stay; what keeps a storage from being read.
   */
  plan(job?: string, options?: PlanOptions): Promise<readonly RetentionPlan[]>
  /**
   * Deletes what {@link Holdfast.plan} would delete, manifest first. The newest complete backup, the newest verified one
   * and pinned ones stay, whatever the retention says. No key that reads backups is needed.
   *
   * @throws {BackupError} as {@link Holdfast.plan}, with nothing deleted; `busy` while another run of the job writes. What
   *   goes wrong once a deletion has begun is the `problem` of its storage, beside what was deleted.
   */
  prune(job?: string, options?: PruneOptions): Promise<readonly PruneResult[]>
  /**
   * Keeps a backup from being deleted by retention, on every storage that holds it. A copy that a prune deletes
   * meanwhile is left out of the result, with a warning.
   *
   * @throws {BackupError} `no-match` for a selector or a storage that means nothing; `not-found` where no copy is left.
   */
  pin(selector: string, options?: Scope & CallOptions): Promise<BackupRecord>
  /** Leaves a backup to retention again. */
  unpin(selector: string, options?: Scope & CallOptions): Promise<BackupRecord>
  /** What the storages hold, newest first. */
  list(scope?: Scope & CallOptions): Promise<StoredBackups>
  /**
   * One backup.
   *
   * @param options.restorable - Pass over backups without a whole copy, as a restore does; an id names its backup in
   *   any state. Default `false`.
   */
  show(selector: string, options?: Scope & CallOptions & { readonly restorable?: boolean }): Promise<BackupRecord>
  /**
   * Copies a backup to another storage as it lies, hashes checked on the way.
   *
   * @returns `copied: false` when a whole copy is there already; it is left alone.
   */
  copy(selector: string, to: string, options?: CallOptions & Scope): Promise<{ readonly copied: boolean }>
  /**
   * Opens the parts of a backup, from the first storage that holds a whole copy.
   *
   * @param options.content - `stored` (default): the bytes as they lie; `plain`: decrypted and decompressed.
   */
  open(
    selector: string,
    options?: Scope & CallOptions & { readonly content?: 'stored' | 'plain' },
  ): Promise<{ readonly backup: BackupRecord; readonly parts: readonly OpenedPart[] }>
  /** Takes a backup, then runs the task: for migrations. The task does not run unless the backup is whole. */
  before<Result>(job: string, task: () => Promise<Result>, options?: BackupOptions): Promise<Result>
  /** Closes every storage of the configuration: they belong to this from the moment they were given to it. */
  close(): Promise<void>
}

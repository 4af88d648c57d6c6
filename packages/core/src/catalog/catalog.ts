/**
 * What outlives a run beside the storages: which storage is which, and the history of runs. The storages are the
 * truth about backups; a catalog can be lost.
 */
export interface Catalog {
  /** Records the start of a run. */
  begin(run: RunRecord): Promise<void>
  /** Records its end. */
  finish(id: string, outcome: RunOutcome): Promise<void>
  /** The runs, newest first. */
  runs(filter?: { readonly job?: string; readonly limit?: number }): Promise<readonly RunRecord[]>
  /** The identity that a storage had when it was last seen, if ever. */
  storageIdentity(storage: string): Promise<string | undefined>
  rememberStorageIdentity(storage: string, identity: string): Promise<void>
}

/** What a run does. */
export type RunKind = 'backup' | 'restore' | 'verify' | 'prune'

/** How a run ended, or `running`. */
export type RunStatus = 'running' | 'complete' | 'complete_with_warnings' | 'partial' | 'failed' | 'aborted'

/** One execution. */
export interface RunRecord {
  /** For a backup: the id of the backup it makes. */
  readonly id: string
  readonly kind: RunKind
  readonly job: string
  readonly status: RunStatus
  readonly startedAt: Date
  readonly endedAt?: Date
  readonly durationMs?: number
  readonly error?: string
}

/** The end of a run. */
export interface RunOutcome {
  readonly status: Exclude<RunStatus, 'running'>
  readonly endedAt: Date
  readonly durationMs: number
  readonly error?: string
}

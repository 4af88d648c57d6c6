import type { ArchiveEntry } from './archive.js'
import type { Connection } from './connection.js'
import type { RestoreJob, TargetServer } from './restore-job.js'

/** One dump on its way into one database. */
export interface Filling {
  readonly job: RestoreJob
  /** Of the database to fill. */
  readonly connection: Connection
  readonly target: TargetServer
  /** All or nothing; else whoever asks drops the database on failure. */
  readonly singleTransaction: boolean
  /** Drop the dump's objects first. */
  readonly clean: boolean
  /**
   * Constraints of the target that partitions inherit. The drop statements of pg_dump name them all the same, and
   * would fail (seen with versions up to 15 at least).
   */
  readonly inherited?: ReadonlySet<string>
  /** Whether to leave a statement out of a plain dump. */
  omit?(sql: string): boolean
  /** Only these entries. */
  readonly entries?: readonly ArchiveEntry[]
  /** Connections to restore with; more than 1 needs a file, and no transaction. */
  readonly jobs: number
  readonly noTablespaces: boolean
}

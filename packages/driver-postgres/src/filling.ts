import type { ArchiveEntry } from './archive.js'
import type { Connection } from './connection.js'
import { requireTrailer } from './dump-streams.js'
import { fillFromArchive } from './fill-archive.js'
import type { RestoreJob, TargetServer } from './restore-job.js'
import { runScript } from './run-script.js'

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
  /** Only these entries. */
  readonly entries?: readonly ArchiveEntry[]
  /** Connections to restore with; more than 1 needs a file, and no transaction. */
  readonly jobs: number
  readonly noTablespaces: boolean
}

/**
 * Restores the dump of the job into the filling's database. Damage shows as an error, after the client is gone
 * without having seen the end of its input.
 *
 * @throws {BackupError} `restore-failed`, and what the backup's stream throws.
 */
export async function fill(filling: Filling): Promise<void> {
  const { job } = filling
  if (job.dump.format === 'custom') return await fillFromArchive(filling)
  const { part } = job.dump
  const script = job.from.open(part.name, job.ctx)
  const whole = part.trailer ? requireTrailer(script, part.trailer) : script
  await runScript(filling, whole, { filterSettings: filling.target.major < job.dumpMajor })
}

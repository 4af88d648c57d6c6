import type { Driver } from '../../driver/driver.js'
import type { Assertion } from '../assertions.js'

/** When the backups of a job are verified, and how: the `verify` of a job, resolved. */
export interface VerifySettings {
  /** Milliseconds after which a copy is read again. Absent: it is not by itself. */
  readonly scrubEveryMs?: number
  readonly testRestore?: TestRestoreSettings
}

/** How the backups of a job are restored for a test. */
export interface TestRestoreSettings {
  /** Milliseconds after which the latest backup of the job is restored again. Absent: only when asked for. */
  readonly everyMs?: number
  /** Beside this database the scratch is made. Default: the job's source. */
  readonly on?: Driver
  readonly assertions: readonly Assertion[]
}

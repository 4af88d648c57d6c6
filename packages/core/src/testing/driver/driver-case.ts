import type { Driver } from '../../driver/driver.js'
import type { RunContext } from '../../run-context.js'

/** What a case of the driver contract works on: made by the tests of the driver, on a real server. */
export interface DriverCaseEnv {
  /**
   * A database with everything that is likely to be lost on the way, of at least a megabyte, so that there is a middle
   * to fail in. No case changes it.
   */
  readonly source: Driver
  /** The same with a password that is wrong. Absent for engines without passwords. */
  readonly wrongPassword?: Driver
  /** A server that is not there. Absent for engines without servers. */
  readonly unreachable?: Driver
  /** A database to restore into, unlike that of any other case. */
  target(kind: TargetKind): Promise<Driver>
  /** Everything that a database holds, as text: equal for equal databases; also for one that does not exist. */
  fingerprint(driver: Driver): Promise<string>
  /** Process ids of the programs that the driver runs now. Absent for drivers that run none. */
  children?(): Promise<readonly number[]>
  readonly ctx: RunContext
}

/** `absent`: no such database yet. `empty`: there, without content. `filled`: holds something that is not the source's. */
export type TargetKind = 'absent' | 'empty' | 'filled'

/**
 * One promise of the driver contract. Plain data: the tests of each driver run the same list.
 * A case rejects with an `AssertionError`, or with what the driver threw, when the promise is broken.
 */
export interface DriverCase {
  /** What is promised, for example `restore: damaged data leaves a target that exists alone`. Unique. */
  readonly name: string
  run(env: DriverCaseEnv): Promise<void>
}

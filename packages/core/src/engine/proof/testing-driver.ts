import type { Driver } from '../../driver/driver.js'
import type { ProvingDriver } from './judge-sections.js'

/** A driver that makes test restores. Dumps are told apart without a server, so it speaks for its scratches too. */
export type TestingDriver = ProvingDriver & Required<Pick<Driver, 'scratch'>>

/** Whether a driver is one. */
export function makesTests(driver: Driver): driver is TestingDriver {
  return Boolean(driver.scratch && driver.sections)
}

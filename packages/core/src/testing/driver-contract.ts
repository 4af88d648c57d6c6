import type { DriverCase } from './driver/driver-case.js'
import { dumpCases } from './driver/dump-cases.js'
import { probeCases } from './driver/probe-cases.js'
import { proofCases } from './driver/proof-cases.js'
import { restoreCases } from './driver/restore-cases.js'
import { stagedCases } from './driver/staged-cases.js'

/**
 * The law that every driver keeps, as plain data. The tests of a driver run it against a real server, with a database
 * as nasty as the engine allows. It needs no test runner. A case that hangs ends when the context it was given aborts.
 *
 * @example In the tests of a driver
 * ```ts
 * import { driverContract, type DriverCaseEnv } from '@holdfast/core/testing'
 *
 * async function keepsTheContract(env: DriverCaseEnv): Promise<void> {
 *   for (const { name, run } of driverContract) {
 *     await run(env)
 *     console.log(`kept: ${name}`)
 *   }
 * }
 * ```
 */
export const driverContract: readonly DriverCase[] = [
  ...probeCases,
  ...dumpCases,
  ...restoreCases,
  ...stagedCases,
  ...proofCases,
]

import { publicPackages } from '../lib/workspace.mjs'
import { functionCheck } from './command-check.ts'
import { checkPackage } from './package-check.ts'
import { type Outcome, report } from './tally.ts'

const outcomes: Outcome[] = []
for (const folder of publicPackages()) outcomes.push(await functionCheck(folder, () => checkPackage(folder)))
process.exitCode = report(outcomes) ? 0 : 1

import { buildPackages } from '../lib/build.mjs'
import { publicPackages } from '../lib/workspace.mjs'
import { commandCheck, functionCheck } from './command-check.ts'
import { checkCoverage } from './coverage.ts'
import { checkDocExamples } from './doc-examples.ts'
import { checkPackage } from './package-check.ts'
import { type Outcome, report } from './tally.ts'
import { runVitest } from './vitest.ts'

const perChange = ['unit', 'integration', 'e2e']

// A log is for reading: colours are for terminals, also where CI makes programs think otherwise.
if (!process.stdout.isTTY) process.env.NO_COLOR ??= '1'

const args = process.argv.slice(2)
const filters = args.filter((arg) => arg !== '--slow')
const outcomes = args.includes('--slow')
  ? await onlyTests(['slow'], filters)
  : filters.length > 0
    ? await onlyTests(perChange, filters)
    : await everything()
process.exitCode = report(outcomes) ? 0 : 1

/** The tests that the arguments name, on a fresh build, without the other checks. */
async function onlyTests(projects: readonly string[], filters: readonly string[]): Promise<Outcome[]> {
  return [await build(), ...(await runVitest(projects, { filters, coverage: false }))]
}

async function everything(): Promise<Outcome[]> {
  const outcomes = [
    await commandCheck('format and lint (biome)', 'biome', ['check', '.']),
    await commandCheck('types (tsc)', 'tsc', ['-p', 'tsconfig.json']),
    await commandCheck('types of the scripts (tsc)', 'tsc', ['-p', 'scripts/tsconfig.json']),
    await commandCheck('dead code and undeclared dependencies (knip)', 'knip', []),
    await build(),
  ]
  for (const folder of publicPackages()) {
    outcomes.push(await functionCheck(`package ${folder} (publint, attw)`, () => checkPackage(folder)))
  }
  outcomes.push(await functionCheck('examples in the docs compile (tsc)', checkDocExamples))
  outcomes.push(...(await runVitest(perChange, { filters: [], coverage: true })))
  outcomes.push(...checkCoverage())
  return outcomes
}

function build(): Promise<Outcome> {
  return functionCheck('build', () => buildPackages({ env: process.env }))
}

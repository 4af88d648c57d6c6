import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from '../lib/root.mjs'
import { run } from '../lib/run.mjs'
import { fail, type Outcome } from './tally.ts'

/** The part of the JSON reporter's file that is read here. */
interface VitestReport {
  readonly testResults: readonly FileResult[]
}
interface FileResult {
  readonly name: string
  readonly status: string
  readonly message: string
  readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
}

interface Options {
  /** Further arguments for vitest: files, or options. A `--project` among them replaces the given projects. */
  readonly filters: readonly string[]
  readonly coverage: boolean
}

// Several runs may be under way in one checkout.
const reportFile = join(root, `.cache/vitest-${process.pid}.json`)
const minute = 60_000

/**
 * Runs vitest projects and counts every test. A file that crashes, a file without tests, a skipped test in CI and an
 * error outside of any test are failures too.
 */
export async function runVitest(projects: readonly string[], { filters, coverage }: Options): Promise<Outcome[]> {
  const chosen = filters.some((filter) => filter.startsWith('--project')) ? [] : projects
  const found = await listFiles(chosen, filters)
  if (found === undefined) return [fail('vitest', 'could not list the test files')]
  if (found.length === 0 && filters.length > 0) return [fail('vitest', `no test file matches ${filters.join(' ')}`)]
  const empty = chosen.filter((name) => !found.some((file) => file.projectName === name))
  if (filters.length === 0) for (const project of empty) console.log(`• no tests yet: ${project}`)
  if (found.length === 0) return []

  rmSync(reportFile, { force: true })
  const { code } = await run('vitest', ['run', ...projectArgs(chosen), ...filters, ...reporters(coverage)], {
    // Far more than they take: a slow machine is no failure, but what hangs must end before CI is cut off without a word.
    timeoutMs: (projects.includes('slow') ? 24 * 60 : 60) * minute,
  })
  return [countTests(found, code)]
}

interface ListedFile {
  readonly file: string
  readonly projectName: string
}

async function listFiles(projects: readonly string[], filters: readonly string[]): Promise<ListedFile[] | undefined> {
  const listing = join(root, `.cache/vitest-files-${process.pid}.json`)
  rmSync(listing, { force: true })
  const args = ['list', '--filesOnly', `--json=${listing}`, ...projectArgs(projects), ...filters]
  const { output } = await run('vitest', args, { quiet: true, timeoutMs: 2 * minute })
  if (existsSync(listing)) return takeJson<ListedFile[]>(listing)
  console.log(output)
  return undefined
}

/** Reads a file, which has then served its purpose. */
function takeJson<T>(file: string): T {
  const text = readFileSync(file, 'utf8')
  rmSync(file)
  return JSON.parse(text) as T
}

function countTests(expected: readonly ListedFile[], code: number): Outcome {
  if (!existsSync(reportFile)) return fail('vitest', `ended with code ${code} and without a report`)
  const { testResults } = takeJson<VitestReport>(reportFile)
  const missing = expected.filter(({ file }) => !testResults.some((result) => result.name === file))
  const failures = [
    ...testResults.flatMap(failuresOf),
    ...missing.map(({ file }) => `${relative(root, file)}: was not run`),
  ]
  if (code !== 0 && failures.length === 0) failures.push(`vitest ended with code ${code} (see the errors above)`)
  const passed = testResults.flatMap((result) => result.assertionResults).filter((test) => test.status === 'passed')
  return { name: 'vitest', passed: passed.length, failures }
}

function failuresOf({ name, status, message, assertionResults }: FileResult): string[] {
  const file = relative(root, name)
  const bad = assertionResults
    .filter((test) => test.status === 'failed' || (test.status !== 'passed' && process.env.CI !== undefined))
    .map((test) => `${file}: ${test.fullName}${test.status === 'failed' ? '' : ` (${test.status}: CI skips nothing)`}`)
  if (bad.length > 0) return bad
  if (status === 'failed') return [`${file}: ${message.split('\n')[0] ?? 'failed'}`]
  return assertionResults.length === 0 ? [`${file}: holds no test`] : []
}

function projectArgs(projects: readonly string[]): string[] {
  return projects.flatMap((project) => ['--project', project])
}

function reporters(coverage: boolean): string[] {
  const json = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
  return coverage ? [...json, '--coverage'] : json
}

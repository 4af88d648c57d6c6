import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lib/root.mjs'
import { publicPackages } from '../lib/workspace.mjs'
import { fail, type Outcome, pass } from './tally.ts'

/** Percent of lines and of branches that the tests must reach. */
const wanted = (folder: string): number => (folder === 'packages/core' ? 95 : 85)

interface Counts {
  readonly total: number
  readonly covered: number
}
type Summary = Readonly<Record<string, { readonly lines: Counts; readonly branches: Counts }>>

/** Prints the coverage of each package; each counts as one check. */
export function checkCoverage(): Outcome[] {
  const file = join(root, 'coverage/coverage-summary.json')
  if (!existsSync(file)) return [fail('coverage', `there is no ${file}`)]
  const summary = JSON.parse(readFileSync(file, 'utf8')) as Summary

  console.log('\nCoverage')
  return publicPackages().map((folder) => {
    const lines = percent(summary, folder, 'lines')
    const branches = percent(summary, folder, 'branches')
    const enough = lines >= wanted(folder) && branches >= wanted(folder)
    const figures = `lines ${lines.toFixed(1)} %, branches ${branches.toFixed(1)} %, wanted ${wanted(folder)} %`
    console.log(`${enough ? '✓' : '✗'} ${folder}: ${figures}`)
    return enough ? pass(`coverage of ${folder}`) : fail(`coverage of ${folder}`, figures)
  })
}

function percent(summary: Summary, folder: string, kind: 'lines' | 'branches'): number {
  const inside = Object.entries(summary).filter(([path]) => path.startsWith(join(root, folder, 'src/')))
  const total = inside.reduce((sum, [, counts]) => sum + counts[kind].total, 0)
  const covered = inside.reduce((sum, [, counts]) => sum + counts[kind].covered, 0)
  return total === 0 ? 100 : (100 * covered) / total
}

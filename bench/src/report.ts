import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Figure, formatTarget, formatValue, isReached } from '#bench/figure'
import type { Machine } from '#bench/machine'
import { benchDir } from '#bench/paths'
import { type Result, readResults } from '#bench/results'
import { scenarios } from '#bench/scenarios/all'
import { markdownTable } from '#bench/table'

const heading = ['figure', 'data', 'size', 'measured', 'to reach', 'reached', 'from']

function rowOf(figure: Figure): string[] {
  const reached = { true: 'yes', false: '**no**', undefined: '' }[`${isReached(figure)}`] ?? ''
  const measured = formatValue(figure.value, figure.unit)
  return [figure.what, figure.data, figure.size, measured, formatTarget(figure), reached, figure.from ?? '']
}

/** The figures of one scenario as a Markdown table. */
export const figureTable = (figures: readonly Figure[]): string => markdownTable(heading, figures.map(rowOf))

/** Writes RESULTS.md from all results that are kept, and from the remarks that people have written. */
export async function writeReport(): Promise<void> {
  const results = await readResults()
  const remarks = await readFile(join(benchDir, 'remarks.md'), 'utf8')
  const chapters = scenarios.flatMap(({ name, title }) => {
    const kept = results.get(name) ?? []
    return kept.length === 0 ? [] : [chapter(name, title, kept)]
  })
  await writeFile(join(benchDir, 'RESULTS.md'), [remarks.trimEnd(), ...chapters].join('\n\n').concat('\n'))
}

function chapter(name: string, title: string, results: readonly Result[]): string {
  const origins = new Set(results.map(originOf))
  return [
    `## ${title}`,
    `\`npm run bench -- --only ${name}\``,
    figureTable(results.map(({ figure }) => figure)),
    [...origins].join('\n'),
  ].join('\n\n')
}

function originOf({ measuredAt, runs, machine, stolen, thrownAway }: Result): string {
  const share = stolen === undefined ? '' : `, ${(stolen * 100).toFixed(1)} % of the processors taken by the host`
  const rest = thrownAway ? `, ${thrownAway} runs thrown away` : ''
  return `${measuredAt.slice(0, 10)}, medians of ${runs} runs, ${describe(machine)}${share}${rest}.`
}

function describe({ cpu, memory, kernel, versions, commit, load }: Machine): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `${cpu}, ${memory}, Linux ${kernel}, ${programs.join(', ')}, commit ${commit}, load before ${load.toFixed(1)}`
}

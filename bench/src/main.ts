import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import type { Bench, Scenario } from '#bench/bench'
import { type Figure, isReached } from '#bench/figure'
import type { Run } from '#bench/interleave'
import { describeMachine } from '#bench/machine'
import { readOptions, usage } from '#bench/options'
import { holdfastBin, workDir } from '#bench/paths'
import { startPostgres } from '#bench/postgres'
import { figureTable, writeReport } from '#bench/report'
import { keepResults, type Result } from '#bench/results'
import { startS3Sink } from '#bench/s3-sink/start'
import { scenarios } from '#bench/scenarios/all'

// Ends by `exit`, so that the servers are stopped.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const options = readOptions(process.argv.slice(2))
if (options.help) process.stdout.write(usage)
else if (options.list) for (const { name, title } of scenarios) process.stdout.write(`${name.padEnd(20)} ${title}\n`)
else await benchmark(chosen())

function chosen(): readonly Scenario[] {
  const unknown = options.only?.find((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown) throw new Error(`There is no scenario ${unknown}; --list names them`)
  return scenarios.filter(({ name }) => options.only?.includes(name) ?? true)
}

async function benchmark(list: readonly Scenario[]): Promise<void> {
  if (!existsSync(holdfastBin)) throw new Error(`${holdfastBin} is not there: run npm run build first`)
  await mkdir(workDir, { recursive: true })
  await using server = await startPostgres()
  await using sink = await startS3Sink()
  const { runs, sizes, dataSets } = options
  const bench = { server, sink, runs, sizes, dataSets }
  const missed: string[] = []
  const broken: string[] = []
  for (const scenario of list) {
    process.stderr.write(`${scenario.title}\n`)
    try {
      const figures = await measureScenario(scenario, { ...bench, made: [] })
      missed.push(
        ...figures.filter((figure) => isReached(figure) === false).map(({ what }) => `${scenario.name}: ${what}`),
      )
    } catch (error) {
      process.stderr.write(`\n${scenario.name} could not be measured: ${error}\n`)
      broken.push(scenario.name)
    }
  }
  process.stdout.write(missed.length === 0 ? 'No target was missed.\n' : `Missed:\n  ${missed.join('\n  ')}\n`)
  if (broken.length === 0) return
  process.stdout.write(`Not measured: ${broken.join(', ')}\n`)
  process.exitCode = 1
}

async function measureScenario(scenario: Scenario, bench: Bench): Promise<readonly Figure[]> {
  const machine = await describeMachine(bench.server.version)
  const figures = await scenario.run(bench)
  process.stdout.write(`\n## ${scenario.title}\n${figureTable(figures)}\n\n`)
  if (!options.keep) return figures
  const origin = { measuredAt: new Date().toISOString(), runs: options.runs, machine, ...disturbance(bench.made) }
  await keepResults(
    scenario.name,
    figures.map((figure) => ({ figure, ...origin })),
  )
  await writeReport()
  return figures
}

/** What the host did to the runs of a scenario; nothing where there were none. */
function disturbance(made: readonly Run[]): Pick<Result, 'stolen' | 'thrownAway'> {
  const kept = made.filter(({ isKept }) => isKept).map(({ stolen }) => stolen)
  return kept.length === 0 ? {} : { stolen: Math.max(...kept), thrownAway: made.length - kept.length }
}

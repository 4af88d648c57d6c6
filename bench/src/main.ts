import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import type { Bench, Scenario } from '#bench/bench'
import { isReached } from '#bench/figure'
import { describeMachine } from '#bench/machine'
import { readOptions, usage } from '#bench/options'
import { holdfastBin, workDir } from '#bench/paths'
import { startPostgres } from '#bench/postgres'
import { figureTable, writeReport } from '#bench/report'
import { keepResults } from '#bench/results'
import { startS3Sink } from '#bench/s3-sink/start'
import { scenarios } from '#bench/scenarios/all'

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
  const bench: Bench = { server, sink, runs, sizes, dataSets }
  let missed = 0
  for (const scenario of list) {
    process.stderr.write(`${scenario.title}\n`)
    const machine = await describeMachine(server.version)
    const figures = await scenario.run(bench)
    missed += figures.filter((figure) => isReached(figure) === false).length
    process.stdout.write(`\n## ${scenario.title}\n${figureTable(figures)}\n\n`)
    if (!options.keep) continue
    const measuredAt = new Date().toISOString()
    await keepResults(
      scenario.name,
      figures.map((figure) => ({ figure, measuredAt, runs, machine })),
    )
    await writeReport()
  }
  process.stdout.write(missed === 0 ? 'All targets are reached.\n' : `${missed} targets are missed.\n`)
}

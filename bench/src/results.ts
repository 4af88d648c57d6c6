import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Figure } from '#bench/figure'
import type { Machine } from '#bench/machine'
import { benchDir } from '#bench/paths'

/** A figure and how it came to be. */
export interface Result {
  readonly figure: Figure
  /** ISO 8601, UTC. */
  readonly measuredAt: string
  readonly runs: number
  readonly machine: Machine
  /** Largest share of the processor time wanted in a kept run that the host gave to others, 0 to 1. */
  readonly stolen?: number
  /** Runs that the host disturbed, and others took the place of. Absent where results are older than the count. */
  readonly thrownAway?: number
}

const folder = join(benchDir, 'results')
const fileOf = (scenario: string): string => join(folder, `${scenario}.json`)
const keyOf = ({ figure }: Result): string => [figure.what, figure.data, figure.size].join('\0')

/** All results that are kept, by the name of their scenario. */
export async function readResults(): Promise<ReadonlyMap<string, readonly Result[]>> {
  const names = await readdir(folder).catch(() => [])
  const scenarios = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length))
  return new Map(await Promise.all(scenarios.map(async (name) => [name, await readScenario(name)] as const)))
}

/** Keeps results: each takes the place of an older one of the same figure. */
export async function keepResults(scenario: string, results: readonly Result[]): Promise<void> {
  const kept = new Map([...(await readScenario(scenario)), ...results].map((result) => [keyOf(result), result]))
  await mkdir(folder, { recursive: true })
  await writeFile(fileOf(scenario), `${JSON.stringify([...kept.values()], undefined, 2)}\n`)
}

async function readScenario(name: string): Promise<readonly Result[]> {
  const text = await readFile(fileOf(name), 'utf8').catch(() => '[]')
  return JSON.parse(text) as readonly Result[]
}

import { type Bench, type Scenario, subjects } from '#bench/bench'
import { holdfast, toDisk, toS3 } from '#bench/commands'
import type { DataSet } from '#bench/data/data-set'
import { dense } from '#bench/data/dense'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { emptyOut } from '#bench/files'
import { peakMemory } from '#bench/peak-memory'
import { recipient } from '#bench/scenarios/age'
import { sizes } from '#bench/sizes'
import { median } from '#bench/statistics'

/**
 * Peak memory in all sizes, and how far apart the sizes are. The smallest dump of the shop is smaller than the buffers
 * of an upload; one of the dense data fills them in every size, so it is what tells whether memory grows with size.
 */
function memoryScenario(name: string, title: string, backup: (bench: Bench) => string, atMost: number): Scenario {
  return {
    name,
    title,
    async run(bench) {
      const figures: Figure[] = []
      for await (const { data, size, database } of subjects(bench, { sizes, dataSets: [dense, shop] })) {
        const peaks: number[] = []
        for (let run = 0; run < bench.runs; run++) {
          await emptyOut()
          await bench.sink.clear()
          peaks.push(await peakMemory(holdfast(backup(bench), database, bench)))
          process.stderr.write('.')
        }
        process.stderr.write('\n')
        figures.push({
          scenario: name,
          what: 'peak memory',
          data: data.name,
          size,
          value: median(peaks),
          unit: 'MB',
          target: { atMost },
          samples: { holdfast: peaks },
        })
      }
      return [...figures, ...spread(name, dense, figures), ...spread(name, shop, figures)]
    },
  }
}

/** By how much the sizes differ from the middle of the smallest and the largest peak. */
function spread(scenario: string, { name: data }: DataSet, figures: readonly Figure[]): Figure[] {
  const values = figures.filter((figure) => figure.data === data).map(({ value }) => value)
  const [low, high] = [Math.min(...values), Math.max(...values)]
  if (values.length < 2) return []
  const value = (100 * (high - low)) / (high + low)
  const target = data === dense.name ? { target: { atMost: 10 } } : {}
  return [{ scenario, what: 'peaks differ by ±', data, size: '–', value, unit: '%', ...target }]
}

export const memoryDisk: Scenario = memoryScenario(
  'memory-disk',
  "Peak resident memory of Holdfast's process, backup to disk",
  () => `backup --to ${toDisk}`,
  130,
)

export const memoryAge: Scenario = memoryScenario(
  'memory-age',
  "Peak resident memory of Holdfast's process, backup to disk encrypted with age",
  () => `backup --age-recipient ${recipient} --to ${toDisk}`,
  130,
)

export const memoryS3: Scenario = memoryScenario(
  'memory-s3',
  "Peak resident memory of Holdfast's process, backup to S3",
  (bench) => `backup --to ${toS3(bench)}`,
  200,
)

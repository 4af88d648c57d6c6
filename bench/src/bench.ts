import type { DataSet } from '#bench/data/data-set'
import { ensureDatabase } from '#bench/data/load'
import type { Figure } from '#bench/figure'
import type { Rounds } from '#bench/interleave'
import type { Postgres } from '#bench/postgres'
import type { S3Sink } from '#bench/s3-sink/start'
import type { Size } from '#bench/sizes'

/** What every scenario works with. */
export interface Bench extends Rounds {
  readonly server: Postgres
  readonly sink: S3Sink
  /** The sizes that were asked for; a scenario's own where none were. */
  readonly sizes: readonly Size[] | undefined
  /** The data sets that were asked for; a scenario's own where none were. */
  readonly dataSets: readonly DataSet[] | undefined
}

/** One question that is put to Holdfast. */
export interface Scenario {
  /** For `--only`. */
  readonly name: string
  readonly title: string
  run(bench: Bench): Promise<readonly Figure[]>
}

/** A database to work on. */
export interface Subject {
  readonly data: DataSet
  readonly size: Size
  readonly database: string
}

/** The databases that a scenario works on, made where they are not there yet. */
export async function* subjects(
  bench: Bench,
  usual: { readonly sizes: readonly Size[]; readonly dataSets: readonly DataSet[] },
): AsyncGenerator<Subject> {
  for (const data of bench.dataSets ?? usual.dataSets) {
    for (const size of bench.sizes ?? usual.sizes) {
      process.stderr.write(`  ${data.name}, ${size} `)
      yield { data, size, database: await ensureDatabase(data, size, bench.server) }
    }
  }
}

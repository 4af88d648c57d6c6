import type { Scenario } from '#bench/bench'
import { holdfast, pipeline, toDisk } from '#bench/commands'
import type { Figure } from '#bench/figure'
import { emptyOut } from '#bench/files'
import { interleave, medianOf } from '#bench/interleave'

/** Short runs vary more. */
const atLeastRuns = 10

export const startup: Scenario = {
  name: 'startup',
  title: 'What Holdfast takes where there is nothing to do',
  async run(bench) {
    const database = 'empty'
    await bench.server.sql('postgres', `DROP DATABASE IF EXISTS ${database}`)
    await bench.server.sql('postgres', `CREATE DATABASE ${database} TEMPLATE template0`)
    process.stderr.write('  empty database ')
    const { version, pg_dump, backup } = await interleave(
      {
        version: holdfast('--version', database, bench),
        pg_dump: { ...pipeline('DUMP -Fc -Z0 > "$OUT/dump"', database, bench), before: emptyOut },
        backup: { ...holdfast(`backup --to ${toDisk}`, database, bench), before: emptyOut },
      },
      { ...bench, runs: Math.max(bench.runs, atLeastRuns) },
    )
    const ms = (samples: typeof version): number => 1000 * medianOf(samples, 'wallSeconds')
    const line = { scenario: this.name, data: 'empty', size: '–', unit: 'ms' } as const
    const seconds = (samples: typeof version): number[] => samples.map((sample) => sample.wallSeconds)
    const figures: Figure[] = [
      {
        ...line,
        what: 'holdfast --version',
        value: ms(version),
        target: { atMost: 150 },
        samples: { version: seconds(version) },
      },
      {
        ...line,
        what: 'backup of an empty database',
        value: ms(backup),
        target: { atMost: 1000 },
        samples: { backup: seconds(backup) },
      },
      {
        ...line,
        what: "the same beyond pg_dump's own time",
        value: ms(backup) - ms(pg_dump),
        target: { atMost: 400 },
        from: `${ms(backup).toFixed(0)} ms − ${ms(pg_dump).toFixed(0)} ms`,
        samples: { backup: seconds(backup), pg_dump: seconds(pg_dump) },
      },
    ]
    return figures
  },
}

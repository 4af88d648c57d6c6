import { type Scenario, subjects } from '#bench/bench'
import { bareDump, holdfast, pipeline, toDisk } from '#bench/commands'
import { ratio } from '#bench/compare'
import { dense } from '#bench/data/dense'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { emptyOut, largestFile } from '#bench/files'
import { interleave } from '#bench/interleave'

export const backupPgDump: Scenario = {
  name: 'backup-pg-dump',
  title: 'Backup to disk against pg_dump -Fc > file, as most scripts do',
  async run(bench) {
    const figures: Figure[] = []
    for await (const { data, size, database } of subjects(bench, { sizes: ['1GB'], dataSets: [shop, dense] })) {
      const bytes = { theirs: 0, ours: 0 }
      const weigh = (side: keyof typeof bytes) => async (): Promise<void> => {
        bytes[side] = (await largestFile()).bytes
      }
      const samples = await interleave(
        {
          'pg_dump -Fc': {
            ...pipeline('DUMP -Fc > "$OUT/dump"', database, bench),
            before: emptyOut,
            after: weigh('theirs'),
          },
          bare: { ...pipeline(`${bareDump} > "$OUT/dump.zst"`, database, bench), before: emptyOut },
          holdfast: {
            ...holdfast(`backup --to ${toDisk}`, database, bench),
            before: emptyOut,
            after: weigh('ours'),
          },
          'no inventory': { ...holdfast(`backup --inventory none --to ${toDisk}`, database, bench), before: emptyOut },
        },
        bench,
      )
      const subject = { scenario: this.name, data: data.name, size }
      figures.push(
        ratio(subject, samples, {
          what: 'times faster, without row counts',
          ours: 'pg_dump -Fc',
          theirs: 'no inventory',
          target: { atLeast: 3 },
        }),
        ratio(subject, samples, { what: 'times faster, bare pipeline', ours: 'pg_dump -Fc', theirs: 'bare' }),
        ratio(subject, samples, { what: 'times faster, by default', ours: 'pg_dump -Fc', theirs: 'holdfast' }),
        {
          ...subject,
          what: 'smaller by',
          value: 100 * (1 - bytes.ours / bytes.theirs),
          unit: '%',
          target: { atLeast: 10 },
          from: `${(bytes.ours / 1e6).toFixed(1)} MB / ${(bytes.theirs / 1e6).toFixed(1)} MB`,
        },
      )
    }
    return figures
  },
}

import { type Scenario, subjects } from '#bench/bench'
import { bareDump, holdfast, pipeline, toDisk } from '#bench/commands'
import { ratio } from '#bench/compare'
import { dense } from '#bench/data/dense'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { emptyOut } from '#bench/files'
import { interleave } from '#bench/interleave'

export const backupDisk: Scenario = {
  name: 'backup-disk',
  title: 'Backup to disk against pg_dump -Fc -Z0 | zstd -3 -T2 > file',
  async run(bench) {
    const figures: Figure[] = []
    for await (const { data, size, database } of subjects(bench, { sizes: ['1GB'], dataSets: [shop, dense] })) {
      const samples = await interleave(
        {
          bare: { ...pipeline(`${bareDump} > "$OUT/dump.zst"`, database, bench), before: emptyOut },
          holdfast: { ...holdfast(`backup --to ${toDisk}`, database, bench), before: emptyOut },
          'no inventory': { ...holdfast(`backup --inventory none --to ${toDisk}`, database, bench), before: emptyOut },
        },
        bench.runs,
      )
      const subject = { scenario: this.name, data: data.name, size }
      const [wall, cpu] = [{ atMost: 1.08 }, { atMost: 1.25 }]
      figures.push(
        ratio(subject, samples, { what: 'wall', ours: 'holdfast', theirs: 'bare', target: wall }),
        ratio(subject, samples, {
          what: 'CPU',
          ours: 'holdfast',
          theirs: 'bare',
          dimension: 'cpuSeconds',
          target: cpu,
        }),
        ratio(subject, samples, { what: 'wall, without row counts', ours: 'no inventory', theirs: 'bare' }),
        ratio(subject, samples, {
          what: 'CPU, without row counts',
          ours: 'no inventory',
          theirs: 'bare',
          dimension: 'cpuSeconds',
        }),
      )
    }
    return figures
  },
}

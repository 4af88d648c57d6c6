import { type Scenario, subjects } from '#bench/bench'
import { bareDump, holdfast, pipeline, toDisk } from '#bench/commands'
import { ratio } from '#bench/compare'
import { dense } from '#bench/data/dense'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { emptyOut } from '#bench/files'
import { interleave } from '#bench/interleave'
import { pathWithout } from '#bench/path-without'

export const backupWithoutZstd: Scenario = {
  name: 'backup-without-zstd',
  title: 'Backup to disk where the zstd program is not installed, against the same pipeline',
  async run(bench) {
    const figures: Figure[] = []
    const path = await pathWithout('zstd')
    for await (const { data, size, database } of subjects(bench, { sizes: ['1GB'], dataSets: [shop, dense] })) {
      const { line, env } = holdfast(`backup --to ${toDisk}`, database, bench)
      const samples = await interleave(
        {
          bare: { ...pipeline(`${bareDump} > "$OUT/dump.zst"`, database, bench), before: emptyOut },
          holdfast: { line, env: { ...env, PATH: path }, before: emptyOut },
        },
        bench,
      )
      const subject = { scenario: this.name, data: data.name, size }
      const [wall, cpu] = [{ atMost: 1.25 }, { atMost: 1.35 }]
      figures.push(
        ratio(subject, samples, { what: 'wall', ours: 'holdfast', theirs: 'bare', target: wall }),
        ratio(subject, samples, {
          what: 'CPU',
          ours: 'holdfast',
          theirs: 'bare',
          dimension: 'cpuSeconds',
          target: cpu,
        }),
      )
    }
    return figures
  },
}

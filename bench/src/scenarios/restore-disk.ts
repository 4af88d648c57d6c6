import { type Scenario, subjects } from '#bench/bench'
import { holdfast, pipeline, toDisk } from '#bench/commands'
import { ratio } from '#bench/compare'
import { dense } from '#bench/data/dense'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { largestFile } from '#bench/files'
import { interleave } from '#bench/interleave'
import { backUpForRestore } from '#bench/restore-target'

export const restoreDisk: Scenario = {
  name: 'restore-disk',
  title: 'Restore from disk into an empty database, against zstd -dc file | pg_restore',
  async run(bench) {
    const figures: Figure[] = []
    for await (const subject of subjects(bench, { sizes: ['1GB'], dataSets: [shop, dense] })) {
      const target = await backUpForRestore(subject, toDisk, bench)
      const { path } = await largestFile()
      const around = { before: target.empty, after: target.check }
      const restore = `restore latest --from ${toDisk} --into-file '${target.urlFile}' --yes`
      const samples = await interleave(
        {
          bare: { ...pipeline(`zstd -dc '${path}' | RESTORE`, target.database, bench), ...around },
          holdfast: { ...holdfast(restore, subject.database, bench), ...around },
        },
        bench,
      )
      await target.drop()
      const line = { scenario: this.name, data: subject.data.name, size: subject.size }
      figures.push(
        ratio(line, samples, { what: 'wall', ours: 'holdfast', theirs: 'bare', target: { atMost: 1.05 } }),
        ratio(line, samples, { what: 'CPU', ours: 'holdfast', theirs: 'bare', dimension: 'cpuSeconds' }),
      )
    }
    return figures
  },
}

import { type Scenario, subjects } from '#bench/bench'
import { holdfast, pipeline, toS3 } from '#bench/commands'
import { ratio } from '#bench/compare'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { interleave } from '#bench/interleave'
import { backUpForRestore } from '#bench/restore-target'

export const restoreS3: Scenario = {
  name: 'restore-s3',
  title: 'Restore from S3 into an empty database, against rclone cat | zstd -dc | pg_restore',
  async run(bench) {
    const figures: Figure[] = []
    for await (const subject of subjects(bench, { sizes: ['1GB'], dataSets: [shop] })) {
      const target = await backUpForRestore(subject, toS3(bench), bench)
      const around = { before: target.empty, after: target.check }
      const restore = `restore latest --from ${toS3(bench)} --into-file '${target.urlFile}' --yes`
      const stored = `"$BUCKET/holdfast" --include '*.zst'`
      const samples = await interleave(
        {
          rclone: { ...pipeline(`rclone -q cat ${stored} | zstd -dc | RESTORE`, target.database, bench), ...around },
          holdfast: { ...holdfast(restore, subject.database, bench), ...around },
        },
        bench,
      )
      await target.drop()
      const line = { scenario: this.name, data: subject.data.name, size: subject.size }
      figures.push(
        ratio(line, samples, { what: 'wall', ours: 'holdfast', theirs: 'rclone', target: { atMost: 1.1 } }),
        ratio(line, samples, { what: 'CPU', ours: 'holdfast', theirs: 'rclone', dimension: 'cpuSeconds' }),
      )
    }
    return figures
  },
}

import { type Scenario, subjects } from '#bench/bench'
import { bareDump, holdfast, pipeline, toDisk, toS3 } from '#bench/commands'
import { ratio } from '#bench/compare'
import { dense } from '#bench/data/dense'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { emptyOut } from '#bench/files'
import { interleave, medianOf } from '#bench/interleave'

export const backupS3: Scenario = {
  name: 'backup-s3',
  title: 'Backup to S3 against pg_dump -Fc -Z0 | zstd -3 -T2 | rclone rcat; to disk and S3 in one pass',
  async run(bench) {
    const figures: Figure[] = []
    for await (const { data, size, database } of subjects(bench, { sizes: ['1GB'], dataSets: [shop, dense] })) {
      const before = async (): Promise<void> => {
        await emptyOut()
        await bench.sink.clear()
      }
      const samples = await interleave(
        {
          rclone: { ...pipeline(`${bareDump} | rclone -q rcat "$BUCKET/dump.zst"`, database, bench), before },
          s3: { ...holdfast(`backup --to ${toS3(bench)}`, database, bench), before },
          'no inventory': { ...holdfast(`backup --inventory none --to ${toS3(bench)}`, database, bench), before },
          disk: { ...holdfast(`backup --to ${toDisk}`, database, bench), before },
          both: { ...holdfast(`backup --to ${toDisk} --to ${toS3(bench)}`, database, bench), before },
        },
        bench,
      )
      const slower = medianOf(samples.s3, 'wallSeconds') > medianOf(samples.disk, 'wallSeconds') ? 's3' : 'disk'
      const subject = { scenario: this.name, data: data.name, size }
      figures.push(
        ratio(subject, samples, {
          what: 'S3, wall, without row counts',
          ours: 'no inventory',
          theirs: 'rclone',
          target: { atMost: 1.08 },
        }),
        ratio(subject, samples, { what: 'S3, wall, by default', ours: 's3', theirs: 'rclone' }),
        ratio(subject, samples, { what: 'S3, CPU, by default', ours: 's3', theirs: 'rclone', dimension: 'cpuSeconds' }),
        ratio(subject, samples, {
          what: 'disk and S3, wall, against the slower alone',
          ours: 'both',
          theirs: slower,
          target: { atMost: 1.15 },
        }),
      )
    }
    return figures
  },
}

import { type Scenario, subjects } from '#bench/bench'
import { holdfast, pipeline, toDisk } from '#bench/commands'
import { dense } from '#bench/data/dense'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { interleave, medianOf } from '#bench/interleave'
import { backUpForRestore } from '#bench/restore-target'

/** How much of a dump a proof may cost beyond the restore. */
const dumps = 1.3

export const testRestore: Scenario = {
  name: 'test-restore',
  title: `Proof of a restore (verify --test-restore), against a restore and ${dumps} bare dumps`,
  async run(bench) {
    const figures: Figure[] = []
    for await (const subject of subjects(bench, { sizes: ['1GB'], dataSets: [shop, dense] })) {
      const target = await backUpForRestore(subject, toDisk, bench)
      const restore = `restore latest --from ${toDisk} --into-file '${target.urlFile}' --yes`
      const samples = await interleave(
        {
          dump: pipeline('DUMP -Fc -Z0 > /dev/null', subject.database, bench),
          restore: { ...holdfast(restore, subject.database, bench), before: target.empty, after: target.check },
          proof: {
            ...holdfast(`verify latest --from ${toDisk} --test-restore`, subject.database, bench),
            before: target.drop,
          },
        },
        bench,
      )
      await target.drop()
      const seconds = {
        dump: medianOf(samples.dump, 'wallSeconds'),
        restore: medianOf(samples.restore, 'wallSeconds'),
        proof: medianOf(samples.proof, 'wallSeconds'),
      }
      const allowed = seconds.restore + dumps * seconds.dump
      figures.push({
        scenario: this.name,
        what: `wall, against restore + ${dumps} × dump`,
        data: subject.data.name,
        size: subject.size,
        value: seconds.proof / allowed,
        unit: 'ratio',
        target: { atMost: 1 },
        from: `${seconds.proof.toFixed(2)} s / (${seconds.restore.toFixed(2)} s + ${dumps} × ${seconds.dump.toFixed(2)} s)`,
        samples: Object.fromEntries(
          Object.entries(samples).map(([side, all]) => [side, all.map(({ wallSeconds }) => wallSeconds)]),
        ),
      })
    }
    return figures
  },
}

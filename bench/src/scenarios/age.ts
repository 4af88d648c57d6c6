import { type Scenario, subjects } from '#bench/bench'
import { bareDump, holdfast, pipeline, toDisk } from '#bench/commands'
import { ratio } from '#bench/compare'
import { dense } from '#bench/data/dense'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { emptyOut } from '#bench/files'
import { interleave } from '#bench/interleave'

/** Of a key that nobody keeps: the benchmark writes, and never reads. */
export const recipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'

export const encrypted: Scenario = {
  name: 'age',
  title: 'Backup to disk encrypted with age, against pg_dump -Fc -Z0 | zstd -3 -T2 > file without encryption',
  async run(bench) {
    const figures: Figure[] = []
    for await (const { data, size, database } of subjects(bench, { sizes: ['1GB'], dataSets: [shop, dense] })) {
      const encrypting = `backup --age-recipient ${recipient}`
      const samples = await interleave(
        {
          bare: { ...pipeline(`${bareDump} > "$OUT/dump.zst"`, database, bench), before: emptyOut },
          age: { ...holdfast(`${encrypting} --to ${toDisk}`, database, bench), before: emptyOut },
          'age, no inventory': {
            ...holdfast(`${encrypting} --inventory none --to ${toDisk}`, database, bench),
            before: emptyOut,
          },
          piped: {
            ...pipeline(`${bareDump} | age -r ${recipient} > "$OUT/dump.zst.age"`, database, bench),
            before: emptyOut,
          },
        },
        bench,
      )
      const subject = { scenario: this.name, data: data.name, size }
      figures.push(
        ratio(subject, samples, { what: 'wall', ours: 'age', theirs: 'bare', target: { atMost: 1.17 } }),
        ratio(subject, samples, { what: 'CPU', ours: 'age', theirs: 'bare', dimension: 'cpuSeconds' }),
        ratio(subject, samples, { what: 'wall, without row counts', ours: 'age, no inventory', theirs: 'bare' }),
        ratio(subject, samples, { what: 'wall, against the same piped into age', ours: 'age', theirs: 'piped' }),
      )
    }
    return figures
  },
}

import { type Scenario, subjects } from '#bench/bench'
import { bareDump, holdfast, pipeline, toDisk } from '#bench/commands'
import { type Comparison, ratio } from '#bench/compare'
import { dense } from '#bench/data/dense'
import { shop } from '#bench/data/shop'
import type { Figure } from '#bench/figure'
import { emptyOut } from '#bench/files'
import { interleave, medianOf, type Samples } from '#bench/interleave'

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
        bench,
      )
      const subject = { scenario: this.name, data: data.name, size }
      const against = (what: string, ours: 'holdfast' | 'no inventory', rest: Partial<Comparison> = {}): Figure =>
        ratio(subject, samples, { what, ours, theirs: 'bare', ...rest })
      figures.push(
        against('wall, without row counts', 'no inventory', { target: { atMost: 1.08 } }),
        against('CPU, without row counts', 'no inventory', { dimension: 'cpuSeconds', target: { atMost: 1.25 } }),
        against('wall, by default', 'holdfast'),
        against('CPU, by default', 'holdfast', { dimension: 'cpuSeconds' }),
        rowCounts(subject, samples),
      )
    }
    return figures
  },
}

/** What counting every table's rows beside the dump adds, as a share of the bare dump. */
function rowCounts(subject: Pick<Figure, 'scenario' | 'data' | 'size'>, samples: Samples<string>): Figure {
  const seconds = (side: string): number => medianOf(samples[side] ?? [], 'wallSeconds')
  const added = seconds('holdfast') - seconds('no inventory')
  return {
    ...subject,
    what: 'row counts, share of the dump',
    value: added / seconds('bare'),
    unit: 'ratio',
    target: { atMost: 0.2 },
    from: `${added.toFixed(2)} s / ${seconds('bare').toFixed(2)} s`,
  }
}

import { type Command, type Measured, measure } from '#bench/measure'
import { median } from '#bench/statistics'

/** One of several ways to do the same. */
export interface Side extends Command {
  /** Makes room for a run; not measured. */
  before?(): Promise<void>
  /** Looks at what a run has left; not measured. */
  after?(): Promise<void>
}

/** Every sample of every side, in the order of the runs. */
export type Samples<Name extends string> = Readonly<Record<Name, readonly Measured[]>>

/**
 * Runs the sides in turn, A B C A B C …, so that whatever else the machine does befalls them alike. A first round
 * warms caches and is thrown away.
 */
export async function interleave<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
  runs: number,
): Promise<Samples<Name>> {
  const names = Object.keys(sides) as Name[]
  const samples = Object.fromEntries(names.map((name) => [name, [] as Measured[]])) as Record<Name, Measured[]>
  for (let round = 0; round <= runs; round++) {
    for (const name of names) {
      const side = sides[name]
      await side.before?.()
      const measured = await measure(side)
      await side.after?.()
      if (round > 0) samples[name].push(measured)
    }
    process.stderr.write('.')
  }
  process.stderr.write('\n')
  return samples
}

/** The median of one dimension of the samples of a side. */
export const medianOf = (samples: readonly Measured[], dimension: keyof Measured): number =>
  median(samples.map((sample) => sample[dimension]))

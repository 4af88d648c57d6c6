import { type Command, type Measured, measure } from '#bench/measure'
import { median } from '#bench/statistics'
import { countStolenTime } from '#bench/stolen-time'

/** One of several ways to do the same. */
export interface Side extends Command {
  /** Makes room for a run; not measured. */
  before?(): Promise<void>
  /** Looks at what a run has left; not measured. */
  after?(): Promise<void>
}

/** Every sample of every side, in the order of the runs. */
export type Samples<Name extends string> = Readonly<Record<Name, readonly Measured[]>>

/** One run of one side: how much of the processor time that was wanted the host gave to others, 0 to 1. */
export interface Run {
  readonly stolen: number
  readonly isKept: boolean
}

/** What {@link interleave} is told, and where it notes the runs that it made. */
export interface Rounds {
  /** How many. */
  readonly runs: number
  readonly made: Run[]
}

/** Share of stolen processor time above which a time is a matter of chance. */
const stillEnough = 0.02
/** How often a run is tried. */
const patience = 4

/**
 * Runs the sides in turn, A B C A B C …, so that whatever else the machine does befalls them alike. A first round
 * warms caches and is thrown away. A run in which the host gave the processors to others is made again at once, as
 * long as there is patience to wait for a still one; after that the least disturbed of its tries is taken.
 */
export async function interleave<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
  { runs, made }: Rounds,
): Promise<Samples<Name>> {
  const each = Object.entries(sides) as [Name, Side][]
  const samples = Object.fromEntries(each.map(([name]) => [name, [] as Measured[]])) as Record<Name, Measured[]>
  for (const [, side] of each) await runOnce(side)
  for (let round = 0; round < runs; round++) {
    for (const [name, side] of each) samples[name].push(await runStill(side, made))
  }
  process.stderr.write('\n')
  return samples
}

async function runStill(side: Side, made: Run[]): Promise<Measured> {
  const tries: { readonly stolen: number; readonly measured: Measured }[] = []
  const least = (): number => Math.min(...tries.map(({ stolen }) => stolen))
  while (tries.length < patience && !(least() <= stillEnough)) {
    tries.push(await runOnce(side))
    process.stderr.write(least() <= stillEnough ? '.' : '~')
  }
  const kept = tries.find(({ stolen }) => stolen === least()) as (typeof tries)[number]
  made.push(...tries.map((one) => ({ stolen: one.stolen, isKept: one === kept })))
  return kept.measured
}

async function runOnce(side: Side): Promise<{ readonly stolen: number; readonly measured: Measured }> {
  await side.before?.()
  const stolenTime = countStolenTime()
  const measured = await measure(side)
  const stolen = stolenTime()
  await side.after?.()
  return { stolen, measured }
}

/** The median of one dimension of the samples of a side. */
export const medianOf = (samples: readonly Measured[], dimension: keyof Measured): number =>
  median(samples.map((sample) => sample[dimension]))

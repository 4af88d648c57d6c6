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

/** One round of a comparison: how much of the processor time that was wanted the host gave to others, 0 to 1. */
export interface Round {
  readonly stolen: number
  readonly isKept: boolean
}

/** What {@link interleave} is told, and where it notes the rounds that it ran. */
export interface Rounds {
  /** How many to keep. */
  readonly runs: number
  readonly rounds: Round[]
}

/** Share of stolen processor time above which a ratio is a matter of chance. */
const stillEnough = 0.02
/** How many rounds are tried for each that is kept. */
const patience = 4

/**
 * Runs the sides in turn, A B C A B C …, so that whatever else the machine does befalls them alike. A first round
 * warms caches and is thrown away. So is one in which the host gave the processors to others, as long as there is
 * patience to wait for a still one; after that the least disturbed are taken.
 */
export async function interleave<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
  { runs, rounds }: Rounds,
): Promise<Samples<Name>> {
  await runRound(sides)
  const found: { readonly stolen: number; readonly measured: Readonly<Record<Name, Measured>> }[] = []
  const still = (): number => found.filter(({ stolen }) => stolen <= stillEnough).length
  while (still() < runs && found.length < patience * runs) {
    const stolenTime = countStolenTime()
    const measured = await runRound(sides)
    const stolen = stolenTime()
    found.push({ stolen, measured })
    process.stderr.write(stolen <= stillEnough ? '.' : '~')
  }
  process.stderr.write('\n')
  const kept = new Set(found.toSorted((a, b) => a.stolen - b.stolen).slice(0, runs))
  rounds.push(...found.map((round) => ({ stolen: round.stolen, isKept: kept.has(round) })))
  const samplesOf = (name: Name): Measured[] =>
    found.flatMap((round) => (kept.has(round) ? [round.measured[name]] : []))
  const names = Object.keys(sides) as Name[]
  return Object.fromEntries(names.map((name) => [name, samplesOf(name)])) as Record<Name, Measured[]>
}

async function runRound<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
): Promise<Readonly<Record<Name, Measured>>> {
  const measured: Partial<Record<Name, Measured>> = {}
  for (const [name, side] of Object.entries(sides) as [Name, Side][]) {
    await side.before?.()
    measured[name] = await measure(side)
    await side.after?.()
  }
  return measured as Record<Name, Measured>
}

/** The median of one dimension of the samples of a side. */
export const medianOf = (samples: readonly Measured[], dimension: keyof Measured): number =>
  median(samples.map((sample) => sample[dimension]))

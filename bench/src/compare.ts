import type { Figure, Target } from '#bench/figure'
import { medianOf, type Samples } from '#bench/interleave'
import type { Measured } from '#bench/measure'

/** Which samples to compare, and what the figure is called. */
export interface Comparison {
  readonly what: string
  /** Name of the side that is divided. */
  readonly ours: string
  /** Name of the side that it is divided by. */
  readonly theirs: string
  readonly dimension?: keyof Measured
  readonly target?: Target
}

/** The ratio of the medians of two sides. */
export function ratio(
  subject: Pick<Figure, 'scenario' | 'data' | 'size'>,
  samples: Samples<string>,
  { what, ours, theirs, dimension = 'wallSeconds', target }: Comparison,
): Figure {
  const own = samples[ours] ?? []
  const other = samples[theirs] ?? []
  const a = medianOf(own, dimension)
  const b = medianOf(other, dimension)
  return {
    ...subject,
    what,
    value: a / b,
    unit: 'ratio',
    ...(target && { target }),
    from: `${a.toFixed(2)} s / ${b.toFixed(2)} s`,
    samples: { [ours]: own.map((one) => one[dimension]), [theirs]: other.map((one) => one[dimension]) },
  }
}

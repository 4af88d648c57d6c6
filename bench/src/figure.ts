import type { Size } from '#bench/sizes'

/** What is to be reached. */
export interface Target {
  readonly atMost?: number
  readonly atLeast?: number
}

/** How a value is written. */
export type Unit = 'ratio' | 'MB' | 'ms' | '%'

/** One line of the report. */
export interface Figure {
  /** Name of the scenario. */
  readonly scenario: string
  /** What was measured, against what. */
  readonly what: string
  readonly data: string
  readonly size: Size | '–'
  readonly value: number
  readonly unit: Unit
  /** Absent where nothing is promised and the figure only explains another. */
  readonly target?: Target
  /** Medians that the value comes from, for example seconds of either side. */
  readonly from?: string
  /** Every sample that the value comes from, by side, in the order of the runs. */
  readonly samples?: Readonly<Record<string, readonly number[]>>
}

/** Whether the target is reached; `undefined` where there is none. */
export function isReached({ value, target }: Figure): boolean | undefined {
  if (!target) return undefined
  return value <= (target.atMost ?? Number.POSITIVE_INFINITY) && value >= (target.atLeast ?? Number.NEGATIVE_INFINITY)
}

const digits: Readonly<Record<Unit, number>> = { ratio: 2, MB: 1, ms: 0, '%': 1 }
const suffix: Readonly<Record<Unit, string>> = { ratio: ' ×', MB: ' MB', ms: ' ms', '%': ' %' }

/** For example `1.04 ×`. */
export const formatValue = (value: number, unit: Unit): string => value.toFixed(digits[unit]) + suffix[unit]

/** For example `≤ 1.08 ×`. */
export function formatTarget({ target, unit }: Figure): string {
  if (!target) return '–'
  const { atMost, atLeast } = target
  const bound = (sign: string, value: number): string =>
    `${sign} ${unit === 'ratio' ? value.toFixed(2) : value}${suffix[unit]}`
  return [
    ...(atLeast === undefined ? [] : [bound('≥', atLeast)]),
    ...(atMost === undefined ? [] : [bound('≤', atMost)]),
  ].join(', ')
}

import type { Duration } from '@holdfast/core'
import { InvalidArgumentError } from 'commander'

/** One more value of an option that may be repeated. */
export function append(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

/** Names between commas; a comma within double quotes belongs to a name. */
export function appendList(value: string, previous: readonly string[] = []): readonly string[] {
  const names = (value.match(/(?:"(?:[^"]|"")*"|[^,"])+/g) ?? []).map((name) => name.trim()).filter(Boolean)
  if (names.length === 0) throw new InvalidArgumentError('It names nothing.')
  return [...previous, ...names]
}

/** A span of time, or `no`. */
export function keepOld(value: string): Duration | false {
  if (value === 'no') return false
  if (/^[1-9]\d*(?:\.\d+)?(?:s|m|h|d)$/.test(value)) return value as Duration
  throw new InvalidArgumentError('It must be a span of time such as 12h or 7d, or no.')
}

/** A number from 1 on. */
export function wholeNumber(value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= 1) return number
  throw new InvalidArgumentError('It must be a whole number from 1.')
}

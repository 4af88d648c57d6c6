/**
 * What a record holds under a name that somebody has typed, or that stands in a backup. Every object also answers to
 * `constructor` and the like, which nobody has put there.
 */
export function ownEntry<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

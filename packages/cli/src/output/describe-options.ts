/** Deeper ones are not followed: a manifest may be anybody's. */
const mostLevels = 6

/**
 * Options of a dump in lines: those with one value together as `name=value`, then a line for each that holds others, as
 * `name.inner=value`.
 */
export function describeOptions(options: Readonly<Record<string, unknown>>): readonly string[] {
  const entries = Object.entries(options)
  const isNested = ([, value]: [string, unknown]): boolean => membersOf(value) !== undefined
  const single = entries.filter((entry) => !isNested(entry)).flatMap(([name, value]) => settings(name, value, 1))
  const nested = entries.filter(isNested).map(([name, value]) => settings(name, value, 1).join(' '))
  return [single.join(' '), ...nested].filter((line) => line !== '')
}

/** `a.b=value` of all that a value holds; nothing for what holds nothing. */
function settings(path: string, value: unknown, level: number): string[] {
  const members = membersOf(value)
  if (!members) return [`${path}=${textOf(value)}`]
  if (level === mostLevels) return [`${path}=…`]
  return members.flatMap(([name, member]) => settings(`${path}.${name}`, member, level + 1))
}

/** What has names or numbers of its own; a list of single values is one value. */
function membersOf(value: unknown): [string, unknown][] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value) && value.length > 0 && value.every(isSingle)) return undefined
  return Object.entries(value)
}

function isSingle(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

/** Quoted where it would be taken for two, or for none. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',')
  if (typeof value !== 'string') return String(value)
  return /^[^\s"',=]+$/.test(value) ? value : JSON.stringify(value)
}

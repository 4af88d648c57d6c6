import type { ArchiveEntry } from './archive.js'
import { remarkKinds } from './entry-kinds.js'

/** A table, by what its entry in an archive would bear. */
type TableName = Pick<ArchiveEntry, 'kind' | 'schema' | 'tag'>

/**
 * Foreign keys to tables that the archive does not hold, each with its table: a dump of chosen tables has them. They name
 * no entry that they depend on, so they are told by their text.
 */
export function keysToOthers(entries: readonly ArchiveEntry[]): ReadonlyMap<ArchiveEntry, TableName> {
  // What extensions make is in no dump, and is there. Only a dump of a whole database makes extensions.
  if (entries.some(({ kind }) => kind === 'EXTENSION')) return new Map()
  const nameOf = ({ schema, tag }: TableName): string => JSON.stringify([schema, tag])
  const held = new Set(entries.filter(({ kind }) => kind === 'TABLE').map(nameOf))
  const found = new Map<ArchiveEntry, TableName>()
  for (const entry of entries) {
    const table = entry.kind === 'FK CONSTRAINT' ? referencedTable(entry) : undefined
    if (table && !held.has(nameOf(table))) found.set(entry, table)
  }
  return found
}

/** Entries but for some of them, and for what is said about those. */
export function without(left: Iterable<ArchiveEntry>, entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const ids = new Set([...left].map(({ id }) => id))
  return entries.filter(({ id, kind, dependencies }) => {
    return !ids.has(id) && !(remarkKinds.has(kind) && dependencies.some((on) => ids.has(on)))
  })
}

/** pg_dump writes what is not lower-case letters, digits and underlines in double quotes; a name is never a keyword. */
function referencedTable({ schema, definition }: ArchiveEntry): TableName | undefined {
  const tokens: readonly string[] = definition.match(/"(?:[^"]|"")*"|[\w$]+|\S/g) ?? []
  const at = tokens.indexOf('REFERENCES')
  if (at < 0) return undefined
  const [first, dot, second] = tokens.slice(at + 1)
  if (first === undefined) return undefined
  const tag = dot === '.' ? second : first
  return tag === undefined
    ? undefined
    : { kind: 'TABLE', schema: dot === '.' ? unquoted(first) : schema, tag: unquoted(tag) }
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}

import type { ArchiveEntry } from './archive.js'

/** What holds rows, or looks as if it did. */
export const relationKinds: ReadonlySet<string> = new Set([
  'TABLE',
  'VIEW',
  'MATERIALIZED VIEW',
  'FOREIGN TABLE',
  'SEQUENCE',
])

/** Entries that carry data rather than definitions. */
export const dataKinds: ReadonlySet<string> = new Set([
  'TABLE DATA',
  'SEQUENCE SET',
  'BLOBS',
  'BLOB DATA',
  'MATERIALIZED VIEW DATA',
])

/** What is said about an object rather than being one. */
export const remarkKinds: ReadonlySet<string> = new Set(['ACL', 'COMMENT', 'SECURITY LABEL'])

/** Facts about the dump itself, and the database as such. */
export const headKinds: ReadonlySet<string> = new Set([
  'ENCODING',
  'STDSTRINGS',
  'SEARCHPATH',
  'DATABASE',
  'DATABASE PROPERTIES',
])

/** Entries that cannot be without their table, and go where it goes. Their tags begin with the name of the table. */
const tablePartKinds = new Set([
  ...['DEFAULT', 'CONSTRAINT', 'CHECK CONSTRAINT', 'FK CONSTRAINT', 'TRIGGER', 'RULE', 'POLICY'],
])

/** Further ones, recognised by what they depend on. */
const dependentKinds = new Set([
  ...['TABLE DATA', 'MATERIALIZED VIEW DATA', 'INDEX', 'INDEX ATTACH', 'STATISTICS', 'ROW SECURITY'],
  ...['SEQUENCE OWNED BY', 'SEQUENCE SET', 'COMMENT', 'ACL', 'SECURITY LABEL'],
])

/** Whether `entry` is a part of a relation, given the relations and parts found so far. */
export function isPartOf(entry: ArchiveEntry, owned: ReadonlyMap<number, ArchiveEntry>): boolean {
  const on = entry.dependencies.flatMap((id) => owned.get(id) ?? [])
  if (on.length === 0) return false
  if (dependentKinds.has(entry.kind)) return true
  if (!tablePartKinds.has(entry.kind)) return false
  // A foreign key of another table depends on this one too.
  return on.some((of) => relationKinds.has(of.kind) && of.schema === entry.schema && entry.tag.startsWith(`${of.tag} `))
}

/** What makes two entries of two archives the same object. */
export function objectKey({ kind, schema, tag }: Pick<ArchiveEntry, 'kind' | 'schema' | 'tag'>): string {
  return JSON.stringify([kind, schema ?? '', tag])
}

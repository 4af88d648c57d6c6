import { BackupError, type ObjectName } from '@holdfast/core'
import type { ArchiveEntry } from './archive.js'
import { dataKinds, headKinds, isPartOf, objectKey, relationKinds, remarkKinds } from './entry-kinds.js'
import { keysToOthers, without } from './foreign-keys.js'
import { parsePattern } from './patterns.js'

/** Entries to restore, in the order of the archive. */
export interface EntrySelection {
  /** The chosen tables and what belongs to them. */
  readonly owned: readonly ArchiveEntry[]
  /** What those need and the target may have already: schemas, types, functions, … */
  readonly needed: readonly ArchiveEntry[]
  /** What was left out though it belongs to a chosen table, and why. */
  readonly warnings: readonly string[]
}

/**
 * Chosen tables with their partitions and what inherits from them, data, indexes, constraints, defaults, sequences, triggers, policies, grants
 * and comments; and apart from that what they need.
 *
 * @param existing - Keys of what the target has, see {@link objectKey}: a foreign key to a table that is neither
 *   chosen nor there is left out.
 * @throws {BackupError} `no-match`, naming the tables that the dump does not hold.
 */
export function selectTables(
  entries: readonly ArchiveEntry[],
  tables: readonly string[],
  existing: ReadonlySet<string>,
): EntrySelection {
  const owned = ownedBy(chosenRelations(entries, tables), entries)
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  const others = keysToOthers(entries)
  const left: ArchiveEntry[] = []
  const warnings: string[] = []
  for (const entry of owned.values()) {
    const other = others.get(entry)
    const away = other && !existing.has(objectKey(other)) ? [other] : []
    const missing = [...missingTables(entry, owned, byId, existing), ...away]
    if (missing.length === 0) continue
    left.push(entry)
    warnings.push(
      `${entry.kind} ${entry.tag} was left out: it needs ${missing.map(qualified).join(', ')}, neither chosen nor in the target`,
    )
  }
  const kept = new Set(without(left, [...owned.values()]))
  for (const entry of owned.values()) if (!kept.has(entry)) owned.delete(entry.id)
  const needed = neededBy(owned, byId)
  const inOrder = (set: ReadonlyMap<number, unknown>): ArchiveEntry[] => entries.filter(({ id }) => set.has(id))
  return { owned: inOrder(owned), needed: inOrder(needed), warnings }
}

function chosenRelations(entries: readonly ArchiveEntry[], tables: readonly string[]): ArchiveEntry[] {
  const relations = entries.filter(({ kind }) => relationKinds.has(kind))
  const unmatched: string[] = []
  const chosen = tables.flatMap((table) => {
    const matching = relations.filter((entry) => means(table, entry.schema, entry.tag))
    if (matching.length === 0) unmatched.push(table)
    return matching
  })
  if (unmatched.length === 0) return chosen
  throw new BackupError('no-match', {
    message: `The dump holds no table ${unmatched.map((table) => JSON.stringify(table)).join(', ')}`,
    hint: 'Names are folded to lower case unless they stand in double quotes; the contents of the backup say what there is.',
  })
}

/** {@link Driver.isChosen} for PostgreSQL. */
export function isChosen(table: string, { kind, schema, name }: ObjectName): boolean {
  return relationKinds.has(kind.toUpperCase()) && means(table, schema, name)
}

/** As a pattern of pg_dump; without a schema in any schema. */
function means(table: string, schema: string | undefined, tag: string): boolean {
  if (table === tag || table === `${schema}.${tag}`) return true
  const pattern = parsePattern(table)
  const fits = (expression: string, text: string): boolean => new RegExp(expression, 's').test(text)
  return fits(pattern.name, tag) && (pattern.schema === undefined || fits(pattern.schema, schema ?? ''))
}

/** Grows the chosen tables by what belongs to them, until nothing more does. */
function ownedBy(chosen: readonly ArchiveEntry[], entries: readonly ArchiveEntry[]): Map<number, ArchiveEntry> {
  const owned = new Map(chosen.map((entry) => [entry.id, entry]))
  for (let before = -1; before < owned.size; ) {
    before = owned.size
    for (const entry of entries) {
      if (owned.has(entry.id)) continue
      if (isPartOf(entry, owned) || isDescendant(entry, owned, entries) || isOwnSequence(entry, owned, entries)) {
        owned.set(entry.id, entry)
      }
    }
  }
  return owned
}

/** A partition and its attachment come with the partitioned table, and what inherits from a table with that. */
function isDescendant(
  entry: ArchiveEntry,
  owned: ReadonlyMap<number, ArchiveEntry>,
  entries: readonly ArchiveEntry[],
): boolean {
  if (entry.kind === 'TABLE ATTACH') return entry.dependencies.some((id) => owned.get(id)?.kind === 'TABLE')
  if (entry.kind !== 'TABLE') return false
  // It may depend on other tables, too: on one whose row type is that of a column.
  if (/^\)\s*INHERITS \(/m.test(entry.definition) && entry.dependencies.some((id) => owned.get(id)?.kind === 'TABLE')) {
    return true
  }
  // The attachment names the partition first, then what it is attached to.
  return entries.some(({ kind, dependencies: [child, parent] }) => {
    return kind === 'TABLE ATTACH' && child === entry.id && parent !== undefined && owned.has(parent)
  })
}

/** A sequence that a column of a chosen table owns: of `serial`, or of an identity. */
function isOwnSequence(
  entry: ArchiveEntry,
  owned: ReadonlyMap<number, ArchiveEntry>,
  entries: readonly ArchiveEntry[],
): boolean {
  if (entry.kind === 'SEQUENCE OWNED BY') return entry.dependencies.some((id) => owned.has(id))
  if (entry.kind !== 'SEQUENCE') return false
  if (entry.dependencies.some((id) => owned.get(id)?.kind === 'TABLE')) return true
  return entries.some(({ kind, definition, dependencies }) => {
    return (
      kind === 'DEFAULT' &&
      definition.includes('nextval') &&
      dependencies.includes(entry.id) &&
      dependencies.some((id) => owned.get(id)?.kind === 'TABLE')
    )
  })
}

/** Tables that an entry needs and nobody will make. */
function missingTables(
  entry: ArchiveEntry,
  owned: ReadonlyMap<number, ArchiveEntry>,
  byId: ReadonlyMap<number, ArchiveEntry>,
  existing: ReadonlySet<string>,
): readonly ArchiveEntry[] {
  if (!['FK CONSTRAINT', 'TABLE ATTACH', 'INDEX ATTACH', 'POLICY', 'RULE'].includes(entry.kind)) return []
  return entry.dependencies.flatMap((id) => {
    const on = byId.get(id)
    return on && on.kind === 'TABLE' && !owned.has(id) && !existing.has(objectKey(on)) ? [on] : []
  })
}

/** What the owned entries depend on, directly or not. Of other tables only the definition (a parent by inheritance). */
function neededBy(
  owned: ReadonlyMap<number, ArchiveEntry>,
  byId: ReadonlyMap<number, ArchiveEntry>,
): Map<number, ArchiveEntry> {
  const needed = new Map<number, ArchiveEntry>()
  const schemas = new Set([...owned.values()].map(({ schema }) => schema))
  const visit = (entry: ArchiveEntry): void => {
    for (const id of entry.dependencies) {
      const on = byId.get(id)
      if (!on || owned.has(id) || needed.has(id) || dataKinds.has(on.kind)) continue
      if (
        relationKinds.has(on.kind) &&
        entry.kind !== 'TABLE' &&
        entry.kind !== 'VIEW' &&
        entry.kind !== 'MATERIALIZED VIEW'
      )
        continue
      needed.set(id, on)
      visit(on)
    }
  }
  for (const entry of byId.values()) {
    const isSchema = entry.kind === 'SCHEMA' && schemas.has(entry.tag)
    if (isSchema || headKinds.has(entry.kind)) needed.set(entry.id, entry)
  }
  for (const entry of owned.values()) visit(entry)
  for (const entry of byId.values()) {
    if (remarkKinds.has(entry.kind) && entry.dependencies.some((id) => needed.has(id))) needed.set(entry.id, entry)
  }
  return needed
}

const qualified = ({ schema, tag }: Pick<ArchiveEntry, 'schema' | 'tag'>): string =>
  schema === undefined ? tag : `${schema}.${tag}`

import { BackupError } from '@holdfast/core'
import type { ArchiveEntry } from './archive.js'
import { dataKinds, objectKey, remarkKinds } from './entry-kinds.js'

/**
 * The entries that add to what is there: data, and the objects that the target lacks. What is said about an object
 * (grants, comments, defaults) is only said where the object is made now.
 *
 * @param existing - Keys of what the target has, see {@link objectKey}.
 * @throws {BackupError} `restore-refused` for large objects that are there already: their content cannot be added.
 */
export function selectMissing(
  entries: readonly ArchiveEntry[],
  existing: ReadonlySet<string>,
): readonly ArchiveEntry[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  const isThere = (entry: ArchiveEntry): boolean => existing.has(objectKey(entry))
  const taken = entries.find((entry) => entry.kind.startsWith('BLOB') && !dataKinds.has(entry.kind) && isThere(entry))
  if (taken) {
    throw new BackupError('restore-refused', {
      message: `The target has a large object ${taken.tag} already, as the dump does`,
      hint: 'Restore chosen tables, or into another database.',
    })
  }
  return entries.filter((entry) => {
    if (dataKinds.has(entry.kind)) return true
    if (isThere(entry)) return false
    const saysOnly = remarkKinds.has(entry.kind) || adjustments.has(entry.kind)
    if (!saysOnly) return true
    const about = entry.dependencies.flatMap((id) => byId.get(id) ?? [])
    const subjects = entry.kind === 'DEFAULT' ? about.filter(({ kind }) => kind !== 'SEQUENCE') : about
    return subjects.length > 0 && !subjects.some(isThere)
  })
}

/** Changes to an object rather than objects of their own. */
const adjustments: ReadonlySet<string> = new Set([
  'DEFAULT',
  'SEQUENCE OWNED BY',
  'ROW SECURITY',
  'DATABASE PROPERTIES',
])

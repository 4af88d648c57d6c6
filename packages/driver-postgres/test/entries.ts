import type { ArchiveEntry } from '../src/archive.js'

/** An entry of an archive, for tests. */
export function entryOf(id: number, kind: string, tag: string, more: Partial<ArchiveEntry> = {}): ArchiveEntry {
  return {
    id,
    kind,
    tag,
    schema: 'public',
    owner: undefined,
    tablespace: undefined,
    definition: '',
    copyStatement: undefined,
    accessMethod: undefined,
    hasData: false,
    dependencies: [],
    ...more,
  }
}

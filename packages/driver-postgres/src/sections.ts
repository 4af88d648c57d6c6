import { BackupError, type ByteStream, type DumpSection, type PartFormat, type SectionOptions } from '@holdfast/core'
import { type ArchiveEntry, type OpenArchive, openArchive } from './archive.js'
import { readArchiveData } from './archive-data.js'
import { columnsOfCopy } from './copy-statement.js'
import { dataKinds } from './entry-kinds.js'
import { keysToOthers, without } from './foreign-keys.js'
import { openedObject, readPlain } from './plain-data.js'
import type { PlainObject } from './plain-objects.js'
import { isOwnerTo } from './script-rules.js'
import { createSectionList, hashRows, type RowHash } from './section-list.js'
import { sectionName } from './section-name.js'

/** {@link Driver.sections} for PostgreSQL. */
export async function sections(
  part: PartFormat,
  body: ByteStream,
  { unordered = new Set() }: SectionOptions = {},
): Promise<readonly DumpSection[]> {
  if (part.name !== 'dump') return await sectionsOfPlain(body, unordered)
  return await sectionsOfArchive(await openArchive(body), unordered)
}

async function sectionsOfArchive(
  archive: OpenArchive,
  unordered: ReadonlySet<string>,
): Promise<readonly DumpSection[]> {
  refuseCompressed(archive)
  const list = createSectionList()
  const entries = new Map<number, ArchiveEntry>()
  for (const entry of archive.head.entries) entries.set(entry.id, entry)
  // Foreign keys to tables that the dump does not hold cannot be in a scratch.
  const restorable = without(keysToOthers(archive.head.entries).keys(), archive.head.entries)
  for (const entry of restorable) if (!isData(entry)) list.define(entry)
  let current: RowHash | undefined
  await readArchiveData(archive, {
    begin(id, largeObject) {
      const entry = entries.get(id)
      if (largeObject !== undefined) current = hashRows(contentOf(largeObject), undefined, list, unordered)
      else if (entry) current = hashRows(sectionName(entry), columnsOfCopy(entry.copyStatement ?? ''), list, unordered)
    },
    bytes: (bytes) => current?.update(bytes),
    end: () => current?.end(),
  })
  return list.finish()
}

async function sectionsOfPlain(body: ByteStream, unordered: ReadonlySet<string>): Promise<readonly DumpSection[]> {
  const list = createSectionList()
  let object: PlainObject | undefined
  let definition: string[] = []
  let rows: RowHash | undefined
  const endObject = (): void => {
    rows?.end()
    if (object && !rows && !isData(object)) list.define({ ...object, definition: definition.join('\n') })
    rows = undefined
    definition = []
  }
  const sink = {
    object(next: PlainObject): void {
      endObject()
      object = next
    },
    statement(sql: string): void {
      const opened = openedObject(sql)
      if (object?.kind === 'TABLE DATA') {
        if (/^COPY\s/.test(sql)) rows = hashRows(sectionName(object), columnsOfCopy(sql), list, unordered)
      } else if (opened !== undefined) {
        rows?.end()
        rows = hashRows(contentOf(opened), undefined, list, unordered)
      } else if (object && isData(object)) rows?.update(Buffer.from(sql))
      else if (!isOwnerStatement(sql)) definition.push(sql)
    },
    rows: (bytes: Buffer): void => rows?.update(bytes),
  }
  for await (const _ of readPlain(body, sink));
  endObject()
  return list.finish()
}

/** Entries of rows and contents; their definitions say nothing. */
export function isData({ kind }: Pick<ArchiveEntry, 'kind'>): boolean {
  return dataKinds.has(kind) && kind !== 'SEQUENCE SET' && kind !== 'MATERIALIZED VIEW DATA'
}

const isOwnerStatement = (sql: string): boolean => sql.startsWith('ALTER ') && sql.length < 4_096 && isOwnerTo(sql)

const contentOf = (largeObject: number | string): string => `content of large object ${largeObject}`

/** Two archives of the same rows differ once they are compressed, by versions of programs and libraries. */
export function refuseCompressed({ head }: OpenArchive): void {
  if (!head.compressed) return
  throw new BackupError('restore-refused', {
    message: 'The dump was compressed by pg_dump itself, and cannot be compared row by row',
    hint: 'Holdfast compresses dumps from outside. For one that was made by hand, restore it and look.',
  })
}

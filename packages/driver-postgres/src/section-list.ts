import { createHash } from 'node:crypto'
import type { DumpSection } from '@holdfast/core'
import { hasOwner } from './dump-roles.js'
import { dataKinds, headKinds } from './entry-kinds.js'
import { createRowSum } from './row-sum.js'
import { type NamedObject, sectionName } from './section-name.js'
import { settledSql } from './settled-sql.js'

/** An object of a dump, and the statements that make it. */
interface DefinedObject extends NamedObject {
  readonly owner: string | undefined
  readonly tablespace?: string | undefined
  readonly accessMethod?: string | undefined
  readonly definition: string
}

/** Sections as they are found in a dump. */
export interface SectionList {
  define(object: DefinedObject): void
  add(section: DumpSection): void
  /** All of them; names that come more than once are numbered. */
  finish(): readonly DumpSection[]
}

/** Who owns things, who may use them, and where they lie. */
const placementKinds: ReadonlySet<string> = new Set(['ACL', 'DEFAULT ACL'])
/** Guesses of the planner: no content. */
const ignoredKinds: ReadonlySet<string> = new Set(['STATISTICS DATA'])

export function createSectionList(): SectionList {
  const sections: DumpSection[] = []

  return {
    add: (section) => void sections.push(section),
    define({ kind, tag, schema, owner, tablespace, accessMethod, definition }) {
      if (headKinds.has(kind) || ignoredKinds.has(kind) || isAboutDatabase(kind, tag)) return
      const name = sectionName({ kind, tag, schema })
      const section = (of: DumpSection['kind'], is: string, text: string): void =>
        void sections.push({ name: is, kind: of, sha256: sha256(text) })
      const made = settledSql(definition) + (accessMethod === undefined ? '' : `\nUSING ${accessMethod}`)
      if (kind === 'SEQUENCE SET') return section('rows', name, made)
      if (placementKinds.has(kind)) return section('placement', name, made)
      section('schema', name, made)
      const owned = owner !== undefined && !dataKinds.has(kind) && hasOwner({ kind, definition })
      if (owned) section('placement', `owner of ${name}`, owner)
      if (tablespace !== undefined) section('placement', `tablespace of ${name}`, tablespace)
    },
    finish() {
      const seen = new Map<string, number>()
      // By content, so that of two of the same name the same one comes first in every dump.
      const sorted = sections.toSorted((a, b) => compare(a.name, b.name) || compare(a.sha256, b.sha256))
      return sorted.map((section) => {
        const count = (seen.get(section.name) ?? 0) + 1
        seen.set(section.name, count)
        return count === 1 ? section : { ...section, name: `${section.name} (${count})` }
      })
    },
  }
}

/** A dump of the scratch is of another database, with properties of its own. */
function isAboutDatabase(kind: string, tag: string): boolean {
  return /^(ACL|COMMENT|SECURITY LABEL)$/.test(kind) && tag.startsWith('DATABASE ')
}

/** A section of rows that is under way. */
export interface RowHash {
  update(bytes: Uint8Array): void
  /** Adds the section to the list. */
  end(): void
}

/**
 * Begins the section of a table's rows, or of a large object.
 *
 * @param unordered - Names of the sections of which only the rows count, and not their order.
 */
export function hashRows(
  name: string,
  columns: readonly string[] | undefined,
  list: SectionList,
  unordered: ReadonlySet<string>,
): RowHash {
  if (columns && unordered.has(name)) {
    const sum = createRowSum(columns)
    return {
      update: sum.update,
      end: () => list.add({ name, kind: 'rows', sha256: sum.digest(), columns }),
    }
  }
  const hash = createHash('sha256')
  if (columns) hash.update(`${JSON.stringify(columns)}\n`)
  return {
    update: (bytes) => void hash.update(bytes),
    end: () => list.add({ name, kind: 'rows', sha256: hash.digest('hex'), ...(columns && { columns }) }),
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

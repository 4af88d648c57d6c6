import { messageOf } from '@holdfast/core'
import type { ArchiveEntry } from './archive.js'
import { objectKey } from './entry-kinds.js'
import { quoteLiteral, quoteQualified } from './quoting.js'
import type { Session } from './session.js'
import { nameOf, tokensOf } from './tokens.js'

/** Where a dump sets a sequence. */
export interface SequenceSetting {
  readonly schema: string
  readonly name: string
  readonly last: bigint
  readonly called: boolean
}

/** What names a sequence among {@link existingSequences}. */
export function sequenceKey(schema: string | undefined, name: string): string {
  return objectKey({ kind: 'SEQUENCE', schema, tag: name })
}

/** Keys of the sequences that a database holds. */
export async function existingSequences(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.query<{ schema: string; name: string }>(
    `select n.nspname::text as schema, c.relname::text as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S'`,
  )
  return new Set(rows.map(({ schema, name }) => sequenceKey(schema, name)))
}

/**
 * Reads `SELECT pg_catalog.setval('schema.name', 5, true);` as pg_dump writes it; `undefined` for anything else.
 */
export function sequenceSetting(sql: string): SequenceSetting | undefined {
  const statement = /^SELECT\s+pg_catalog\.setval\(\s*(E?'.*')\s*,\s*(-?\d+)\s*,\s*(true|false)\s*\);\s*$/is.exec(sql)
  const [, literal = '', last = '', called = ''] = statement ?? []
  const [schema, dot, name, ...rest] = tokensOf(textOf(literal))
  if (schema === undefined || dot !== '.' || name === undefined || rest.length > 0) return undefined
  return { schema: nameOf(schema), name: nameOf(name), last: BigInt(last), called: called.toLowerCase() === 'true' }
}

/** The text that a literal stands for. */
function textOf(literal: string): string {
  const text = literal.slice(literal.indexOf("'") + 1, -1).replaceAll("''", "'")
  return /^e/i.test(literal) ? text.replaceAll('\\\\', '\\') : text
}

/** Entries without those that set a sequence of a live database, and what those would have set. */
export interface WithoutSettings {
  readonly entries: readonly ArchiveEntry[]
  readonly settings: readonly SequenceSetting[]
}

/**
 * Takes out what would set sequences that were there before: no transaction covers that, so a restore that fails would
 * leave them where the dump had them.
 *
 * @param drops - Whether sequences among the entries are dropped first: then they are new, and may be set.
 */
export function withoutSettings(
  entries: readonly ArchiveEntry[],
  existing: ReadonlySet<string>,
  drops: boolean,
): WithoutSettings {
  const dropped = new Set(drops ? entries.filter(({ kind }) => kind === 'SEQUENCE').map(objectKey) : [])
  const isHeldBack = ({ kind, schema, tag }: ArchiveEntry): boolean => {
    const key = sequenceKey(schema, tag)
    return kind === 'SEQUENCE SET' && existing.has(key) && !dropped.has(key)
  }
  return {
    entries: entries.filter((entry) => !isHeldBack(entry)),
    settings: entries.filter(isHeldBack).flatMap(({ definition }) => sequenceSetting(definition) ?? []),
  }
}

/**
 * Sets sequences to where the dump has them, except those that stand further already: their next values would collide
 * with rows that are there.
 *
 * @returns Warnings about those that could not be set; the rows are there whatever becomes of the sequences.
 */
export async function moveAhead(session: Session, settings: readonly SequenceSetting[]): Promise<readonly string[]> {
  const warnings: string[] = []
  for (const { schema, name, last, called } of settings) {
    const sequence = quoteQualified(schema, name)
    const set = `select setval(${quoteLiteral(sequence)}::regclass, ${last}, ${called})`
    try {
      await session.query(
        `${set} from ${sequence}, pg_sequence where seqrelid = ${quoteLiteral(sequence)}::regclass
            and (case when seqincrement > 0 then last_value < ${last} else last_value > ${last} end
                 or (last_value = ${last} and ${called} and not is_called))`,
      )
    } catch (error) {
      warnings.push(`A sequence was not set; if it stands behind the dump, run: ${set} (${messageOf(error)})`)
    }
  }
  return warnings
}

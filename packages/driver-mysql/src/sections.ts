import { createHash, type Hash } from 'node:crypto'
import {
  type ByteStream,
  type DumpSection,
  type PartFormat,
  type RunContext,
  requireTrailer,
  type SectionOptions,
} from '@holdfast/core'
import { requalify } from './definition-text.js'
import { dumpTrailer } from './dump-plan.js'
import { type DumpPiece, scanDump } from './dump-scanner.js'
import { createRowSplitter, type RowSplitter } from './row-splitter.js'
import { type Subject, subjectOf, withoutVersions } from './statement-subject.js'

/**
 * {@link Driver.sections} for MySQL and MariaDB. Left out is what differs between dumps of equal databases: the name of
 * the database, comments, positions of AUTO_INCREMENT, and whether an event runs, which it does not in a scratch.
 */
export async function sections(
  part: PartFormat,
  body: ByteStream,
  _ctx: RunContext,
  { unordered = new Set() }: SectionOptions = {},
): Promise<readonly DumpSection[]> {
  const schema = new Map<string, DumpSection>()
  const tables = new Map<string, RowHash>()
  const reader = createReader()
  let current: { readonly name: string; readonly rows: RowSplitter } | undefined
  const add = (name: string, kind: DumpSection['kind'], text: string): void => {
    // Seldom are there two of a name: a sequence and its position.
    const sha256 = sha256Of((schema.get(name)?.sha256 ?? '') + text)
    schema.set(name, { name, kind, sha256 })
  }
  for await (const pieces of scanDump(requireTrailer(body, part.trailer ?? dumpTrailer))) {
    for (const piece of pieces) {
      if (piece.kind === 'rows') {
        if (piece.first) current = rowsOf(piece.bytes, tables, unordered)
        current?.rows.push(piece.bytes, piece.first)
        continue
      }
      for (const { name, kind, text } of reader.read(piece)) {
        add(name, kind, text)
        if (kind === 'schema' && name.startsWith('table ')) startRows(`rows of ${name.slice(6)}`, tables, unordered)
      }
    }
  }
  return [
    ...schema.values(),
    ...[...tables].map(([name, hash]) => ({ name, kind: 'rows' as const, sha256: hash.digest() })),
  ]
}

/** {@link Driver.rows} for MySQL and MariaDB: each row as it stands in the dump, without its parentheses. */
export async function* rows(
  part: PartFormat,
  body: ByteStream,
  section: string,
  _ctx: RunContext,
): AsyncGenerator<Uint8Array> {
  const found: Buffer[] = []
  let row: Buffer[] = []
  const splitter = createRowSplitter({
    head() {},
    bytes: (piece) => row.push(Buffer.from(piece)),
    end() {
      found.push(Buffer.concat(row))
      row = []
    },
  })
  let wanted = false
  for await (const pieces of scanDump(requireTrailer(body, part.trailer ?? dumpTrailer))) {
    for (const piece of pieces) {
      if (piece.kind !== 'rows') continue
      if (piece.first) wanted = sectionOf(piece.bytes) === section
      if (wanted) splitter.push(piece.bytes, piece.first)
    }
    yield* found.splice(0)
  }
}

interface Described {
  readonly name: string
  readonly kind: DumpSection['kind']
  readonly text: string
}

/** Variables that decide what a statement after them means. */
const remembered = ['sql_mode', 'collation_connection', 'time_zone'] as const

function createReader(): { read(piece: DumpPiece): readonly Described[] } {
  let database: string | undefined
  const state = new Map<string, string>()

  const describe = (sql: string): readonly Described[] => {
    const subject = subjectOf(sql)
    if (!subject) {
      remember(sql, state)
      return []
    }
    if (subject.verb === 'setval') return [{ name: `sequence ${subject.name}`, kind: 'schema', text: sql }]
    if (subject.verb !== 'create' || subject.placeholder) return []
    return described(sql, subject, database, state)
  }
  return {
    read(piece) {
      if (piece.kind === 'comment') {
        const line = piece.bytes.toString('utf8')
        database ??= /^-- Host: .*? {4}Database: (.*)\n?$/.exec(line)?.[1]
      }
      return piece.kind === 'statement' ? describe(piece.sql) : []
    },
  }
}

function remember(sql: string, state: Map<string, string>): void {
  for (const name of remembered) {
    const value = new RegExp(`(?<![@\\w])${name}\\s*=\\s*('[^']*'|\\w+)`, 'i').exec(sql)?.[1]
    if (value !== undefined) state.set(name, value)
  }
}

const account = '(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|[\\w.%-]+)'
const definer = new RegExp(`\\bDEFINER\\s*=\\s*(${account}(?:\\s*@\\s*${account})?)\\s*`, 'i')

function described(
  sql: string,
  { kind, name }: Subject,
  database: string | undefined,
  state: ReadonlyMap<string, string>,
): readonly Described[] {
  let text = withoutVersions(sql)
  if (kind === 'table' || kind === 'sequence') {
    text = text.replace(/(\n\).*?) AUTO_INCREMENT=\d+/, '$1')
    return [{ name: `${kind} ${name}`, kind: 'schema', text: unqualified(text, database) }]
  }
  if (kind === 'event') text = text.replace(/(\bON\s+COMPLETION\s+(?:NOT\s+)?PRESERVE\s+)(?:ENABLE|DISABLE)\b/i, '$1')
  if (kind === 'view') text = unqualified(text, database)
  const owner = definer.exec(text)
  const owned = owner ? text.slice(0, owner.index) + text.slice(owner.index + owner[0].length) : text
  const context = kind === 'view' ? [] : remembered.filter((each) => kind === 'event' || each !== 'time_zone')
  return [
    {
      name: `${kind} ${name}`,
      kind: 'schema',
      text: JSON.stringify([owned, ...context.map((each) => state.get(each) ?? '')]),
    },
    ...(owner ? [{ name: `definer of ${kind} ${name}`, kind: 'placement' as const, text: owner[1] ?? '' }] : []),
  ]
}

/** The name of the dumped database, where it qualifies something, is another in a scratch. */
function unqualified(sql: string, database: string | undefined): string {
  return database === undefined ? sql : requalify(sql, database, '')
}

interface RowHash {
  update(piece: Buffer): void
  endRow(): void
  digest(): string
}

function sectionOf(bytes: Buffer): string {
  return `rows of ${subjectOf(bytes.toString('utf8', 0, 1_024))?.name ?? ''}`
}

function startRows(name: string, tables: Map<string, RowHash>, unordered: ReadonlySet<string>): RowHash {
  const hash = tables.get(name) ?? (unordered.has(name) ? unorderedHash() : orderedHash())
  tables.set(name, hash)
  return hash
}

function rowsOf(
  bytes: Buffer,
  tables: Map<string, RowHash>,
  unordered: ReadonlySet<string>,
): { readonly name: string; readonly rows: RowSplitter } {
  const name = sectionOf(bytes)
  const hash = startRows(name, tables, unordered)
  return { name, rows: createRowSplitter({ head() {}, bytes: hash.update, end: hash.endRow }) }
}

const rowEnd = Buffer.from('\n') // within a value it is escaped

function orderedHash(): RowHash {
  const hash = createHash('sha256')
  return {
    update: (piece) => void hash.update(piece),
    endRow: () => void hash.update(rowEnd),
    digest: () => hash.digest('hex'),
  }
}

/** A sum over the rows: it does not depend on their order, and unlike an exclusive or tells duplicates apart. */
function unorderedHash(): RowHash {
  let row: Hash = createHash('sha256')
  let sum = 0n
  return {
    update: (piece) => void row.update(piece),
    endRow() {
      sum = BigInt.asUintN(256, sum + BigInt(`0x${row.digest('hex')}`))
      row = createHash('sha256')
    },
    digest: () => sum.toString(16).padStart(64, '0'),
  }
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

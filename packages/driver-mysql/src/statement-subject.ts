import { unquoteIdentifier } from './quoting.js'

/** What a statement of a dump is about. */
export interface Subject {
  readonly verb: 'create' | 'drop' | 'insert' | 'alter' | 'lock' | 'setval'
  readonly kind: ObjectKind
  readonly name: string
  /** Of a trigger: its table. */
  readonly table?: string
  /** Whether a dot follows the name: it is that of a schema then. */
  readonly qualified: boolean
  /** Of a view: the place-holder that stands for it until what it selects from is there. */
  readonly placeholder?: boolean
}

/** Kinds of things in a dump. */
type ObjectKind =
  | 'table'
  | 'sequence'
  | 'view'
  | 'trigger'
  | 'procedure'
  | 'function'
  | 'package'
  | 'package body'
  | 'event'

/** A table, view, trigger and so on, by name. */
export type SchemaObject = Pick<Subject, 'kind' | 'name'>

/** The same text for two names of one object. */
export function objectKey({ kind, name }: SchemaObject): string {
  return JSON.stringify([kind, name])
}

const name = '(`(?:[^`]|``)*`|"(?:[^"]|"")*"|[\\w$\\u0080-\\uffff]+)'
const account = '(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|[^\\s@`"]+)'
const definer = `(?:DEFINER\\s*=\\s*${account}(?:\\s*@\\s*${account})?\\s+)?`
const pattern = (source: string): RegExp => new RegExp(`^${source.replaceAll(' ', '\\s+').replaceAll('~', name)}`, 'i')

const patterns: readonly (readonly [RegExp, Subject['verb'], ObjectKind | undefined])[] = [
  [pattern('(?:INSERT|REPLACE) (?:IGNORE )?INTO ~'), 'insert', 'table'],
  [pattern('CREATE (?:OR REPLACE )?TABLE (?:IF NOT EXISTS )?~'), 'create', 'table'],
  [pattern('CREATE (?:OR REPLACE )?SEQUENCE (?:IF NOT EXISTS )?~'), 'create', 'sequence'],
  [
    pattern('DROP (TABLE|VIEW|SEQUENCE|TRIGGER|PROCEDURE|FUNCTION|EVENT|PACKAGE BODY|PACKAGE) (?:IF EXISTS )?~'),
    'drop',
    undefined,
  ],
  [pattern('ALTER TABLE (?:IF EXISTS )?~'), 'alter', 'table'],
  [pattern('LOCK TABLES ~'), 'lock', 'table'],
  [pattern('(?:DO|SELECT) SETVAL\\s*\\(\\s*~'), 'setval', 'sequence'],
  [pattern(`CREATE (?:OR REPLACE )?${definer}TRIGGER (?:IF NOT EXISTS )?~`), 'create', 'trigger'],
  [
    pattern(
      `CREATE (?:OR REPLACE )?${definer}(?:AGGREGATE )?(PROCEDURE|FUNCTION|EVENT|PACKAGE BODY|PACKAGE) (?:IF NOT EXISTS )?~`,
    ),
    'create',
    undefined,
  ],
  [
    pattern(
      `CREATE (?:OR REPLACE )?(?:ALGORITHM\\s*=\\s*\\w+ )?${definer}(?:SQL SECURITY \\w+ )?VIEW (?:IF NOT EXISTS )?~`,
    ),
    'create',
    'view',
  ],
]

const triggerTable = pattern('~ (?:BEFORE|AFTER) (?:INSERT|UPDATE|DELETE|[\\w\\s]+?) ON ~')

/**
 * What a statement is about; `undefined` for SET and the like.
 *
 * @param sql - The statement, or at least its first 600 characters.
 */
export function subjectOf(sql: string): Subject | undefined {
  const text = withoutVersions(withoutComments(sql.slice(0, 4_096)))
  for (const [expression, verb, kind] of patterns) {
    const match = expression.exec(text)
    if (!match) continue
    const found = kind ?? ((match[1] ?? '').toLowerCase().replace(/\s+/g, ' ') as ObjectKind)
    const quoted = (kind ? match[1] : match[2]) ?? ''
    // A comment that is still there is one in the eyes of some servers only.
    const qualified = /^\s*(?:\.|\/\*|--|#)/.test(text.slice(match[0].length))
    const subject: Subject = { verb, kind: found, name: unquoteIdentifier(quoted), qualified }
    if (found === 'trigger' && verb === 'create') {
      const table = triggerTable.exec(text.slice(match[0].length - quoted.length))?.[2]
      return table ? { ...subject, table: unquoteIdentifier(table) } : subject
    }
    if (found === 'view' && verb === 'create') return { ...subject, placeholder: /^CREATE\s+VIEW/i.test(text) }
    return subject
  }
  return undefined
}

/** The first word of a statement, in upper case, whatever version comment it stands in. */
export function firstWord(sql: string): string {
  return /^\w+/.exec(withoutVersions(sql.slice(0, 200)))?.[0].toUpperCase() ?? ''
}

/** Space takes their place, as for the server; what stands in quotes stays. */
function withoutComments(sql: string): string {
  const parts = /('(?:[^'\\]|\\.|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`)|\/\*(?!M?!)[\s\S]*?\*\/|(?:--(?=\s)|#)[^\n]*/gs
  return sql.replace(parts, (_, quoted?: string) => quoted ?? ' ')
}

/** A statement without the marks that make parts of it valid from some version on. */
export function withoutVersions(sql: string): string {
  return sql.replace(/\/\*M?!\d*\s*|\s*\*\/(?=\s|$|;)/g, ' ').trim()
}

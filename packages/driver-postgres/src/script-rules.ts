import { BackupError } from '@holdfast/core'
import { isColumnVersion } from './column-versions.js'
import type { ScriptFilter } from './script-filter.js'
import { nameOf, tokensOf } from './tokens.js'

/** What to keep out of a script. */
export interface ScriptRules {
  /** Settings that the target knows; `SET` of another one is left out. Absent: all pass. */
  readonly knownSettings?: ReadonlySet<string>
  readonly noOwner: boolean
  readonly noPrivileges: boolean
  /**
   * The script runs within a transaction of psql: its own BEGIN and COMMIT (around large objects) would end that
   * before the last byte has come.
   */
  readonly inTransaction: boolean
  /** Keys of constraints that partitions inherit, see {@link constraintKey}: they cannot be dropped on their own. */
  readonly inherited?: ReadonlySet<string>
  /** What else to leave out. */
  omit?(sql: string): boolean
}

/** What names a constraint in {@link ScriptRules}. */
export function constraintKey(schema: string, table: string, constraint: string): string {
  return JSON.stringify([schema, table, constraint])
}

/** Statements longer than this are not what is looked for. */
const maxLength = 4_096

/** The filter for scripts of pg_dump. Commands for psql never pass: only the pair that restricts them is expected. */
export function scriptFilter(rules: ScriptRules): ScriptFilter {
  return {
    statement(sql) {
      if (rules.inTransaction && endsTransaction(sql)) return false
      return sql.length > maxLength || !unwanted(sql, rules)
    },
    command: refuseCommand,
  }
}

/** @throws {BackupError} `restore-refused` for any command but `\restrict` and `\unrestrict`, which are left out. */
export function refuseCommand(line: string): boolean {
  if (/^\\(un)?restrict [A-Za-z0-9]+\s*$/.test(line)) return false
  throw new BackupError('restore-refused', {
    message: `The dump holds a command for psql: ${JSON.stringify(line.trim().slice(0, 80))}`,
    hint: 'Such a command could run programs on this machine. If you trust the dump (one made with create holds \\connect), restore it with psql by hand.',
  })
}

function unwanted(sql: string, rules: ScriptRules): boolean {
  if (rules.omit?.(sql) || isColumnVersion(sql)) return true
  if (rules.noPrivileges && /^(GRANT|REVOKE|ALTER\s+DEFAULT\s+PRIVILEGES)\s/i.test(sql)) return true
  if (rules.noOwner && /^ALTER\s/i.test(sql) && isOwnerTo(sql)) return true
  if (rules.inherited && /^ALTER\s+TABLE\s/i.test(sql) && rules.inherited.has(droppedConstraint(sql))) return true
  return rules.knownSettings !== undefined && /^SET\s/i.test(sql) && !isKnown(sql, rules.knownSettings)
}

/**
 * pg_dump writes `BEGIN;` and `COMMIT;` around large objects: they are left out.
 *
 * @throws {BackupError} `restore-refused` for any other statement that would end the transaction of the restore.
 */
function endsTransaction(sql: string): boolean {
  if (/^(BEGIN|COMMIT)\s*;$/i.test(sql)) return true
  const [first = ''] = tokensOf(sql.slice(0, 100))
  if (!/^(BEGIN|COMMIT|END|ROLLBACK|ABORT|START|PREPARE|SAVEPOINT|RELEASE)$/i.test(first)) return false
  throw new BackupError('restore-refused', {
    message: `The dump holds a statement that would end the transaction of the restore: ${JSON.stringify(sql.slice(0, 80))}`,
    hint: 'pg_dump writes no such statement. Restore it with mode replace, into a database of its own, if you trust it.',
  })
}

/** Whether a statement of pg_dump does nothing but give an object to a role. */
export function isOwnerTo(sql: string): boolean {
  const [owner, to, , end] = tokensOf(sql).slice(-4)
  return owner?.toUpperCase() === 'OWNER' && to?.toUpperCase() === 'TO' && end === ';'
}

/** Of `ALTER TABLE IF EXISTS ONLY s.t DROP CONSTRAINT IF EXISTS c;`, as pg_dump writes it. */
function droppedConstraint(sql: string): string {
  const tokens = tokensOf(sql).filter((token) => !/^(IF|EXISTS|ONLY)$/i.test(token))
  const [, , schema = '', , table = '', drop = '', , constraint = '', end] = tokens
  return /^DROP$/i.test(drop) && end === ';' ? constraintKey(nameOf(schema), nameOf(table), nameOf(constraint)) : ''
}

function isKnown(sql: string, known: ReadonlySet<string>): boolean {
  const words = tokensOf(sql).slice(1)
  const name = /^(LOCAL|SESSION)$/i.test(words[0] ?? '') ? words[1] : words[0]
  const isSetting = /^(=|TO)$/i.test(words[words.indexOf(name ?? '') + 1] ?? '')
  return !isSetting || name === undefined || known.has(nameOf(name).toLowerCase())
}

import { BackupError, type ByteStream } from '@holdfast/core'
import { followCharset } from './client-charset.js'
import { asNew, definerOf, invokerDefines, requalify, stopEvent, unqualifyTrigger } from './definition-text.js'
import { type DumpPiece, scanDump } from './dump-scanner.js'
import { followRows } from './plain-rows.js'
import type { Progress } from './progress.js'
import { quoteIdentifier } from './quoting.js'
import { followModes } from './sql-modes.js'
import { readingsOf } from './statement-readings.js'
import { firstWord, type Subject, subjectOf, withoutVersions } from './statement-subject.js'

/** What to make of a dump on its way to the client. */
export interface FilterRules {
  /** The database that was dumped: names that are qualified with it mean the one that is filled. */
  readonly from: string
  readonly into: string
  /** Only these tables, with their rows and triggers. */
  readonly tables?: ReadonlySet<string>
  readonly schema: boolean
  readonly rows: boolean
  /** Views, triggers, routines and events belong to the connecting user. */
  readonly definerIsInvoker: boolean
  /** Of this dump. What it has not made itself, it does not drop or put another in the place of: that is of others. */
  readonly progress: Progress
  /** Told of each event that would run; it is made so that it does not. */
  onEnabledEvent(name: string): void
  /** Told of each view, trigger, routine and event, and whether the restoring user becomes its definer. */
  onDefinition(subject: Subject, isAdopted: boolean): void
}

/** Statements that mysqldump and mariadb-dump write. Whatever else a dump holds is no statement of theirs. */
const expected = new Set([
  ...['SET', 'CREATE', 'DROP', 'ALTER', 'INSERT', 'REPLACE', 'LOCK', 'UNLOCK', 'COMMIT', 'START', 'BEGIN', 'DO'],
  ...['SELECT', ''],
])

/**
 * Passes a dump on to the client without what the rules do not want, and without comments: what the client does not
 * get, it cannot take for a command.
 *
 * @throws {BackupError} `restore-refused` for what no dump program writes: commands for the client in every spelling,
 *   and statements that reach out of the database.
 */
export async function* filterDump(source: ByteStream, rules: FilterRules): AsyncGenerator<Uint8Array> {
  let passRows = rules.rows
  const passed: Buffer[] = []
  const charset = followCharset()
  const modes = followModes()
  const rows = followRows(modes)
  const code = followCode()
  const handle = (piece: DumpPiece): void => {
    if (piece.kind === 'delimiter') passed.push(Buffer.from(`DELIMITER ${piece.delimiter}\n`))
    if (piece.kind === 'statement' || piece.kind === 'rows') charset.requireClear(piece.bytes)
    if (piece.kind === 'statement') {
      const inCharset = charset.follow(piece.sql)
      const followed = inCharset === undefined ? undefined : modes.follow(inCharset)
      if (followed === undefined) throw refused(piece.sql)
      const { sql, said } = rewriteStatement(followed, rules)
      if (sql === undefined) return
      code.note(sql)
      const bytes = sql === piece.sql ? piece.bytes : Buffer.from(sql)
      passed.push(bytes, Buffer.from(`${piece.delimiter}\n`))
      if (said !== undefined) passed.push(Buffer.from(`SELECT '${said}' LIMIT 1${piece.delimiter}\n`))
    }
    if (piece.kind !== 'rows') return
    if (piece.first) passRows = rules.rows && wantsRows(piece.bytes, rules, code)
    if (passRows && !rows.push(piece.bytes, piece.first, piece.last))
      throw refused(piece.bytes.toString('utf8', 0, 1_024))
    if (passRows) passed.push(piece.bytes, ...(piece.last ? [lineEnd] : []))
  }
  for await (const pieces of scanDump(source)) {
    for (const piece of pieces) handle(piece)
    yield* passed
    passed.length = 0
  }
}

const lineEnd = Buffer.from('\n')

/** Up to its list of columns or values, the head of an INSERT holds no comment. */
const commented = /^(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|[^`"'(/#-])*(?:[/#]|--)/

function wantsRows(bytes: Buffer, { tables }: FilterRules, code: Code): boolean {
  const text = bytes.toString('utf8', 0, 1_024)
  const subject = subjectOf(text)
  if (!subject || subject.qualified || commented.test(text) || code.runsFor(subject.name)) throw refused(text)
  return tables === undefined || tables.has(subject.name)
}

/** What of a dump would run while its rows come: its triggers. Dump programs write those after the rows of their table. */
interface Code {
  note(sql: string): void
  /** Whether rows for a table would run any, or go to another table through a view. */
  runsFor(table: string): boolean
}

function followCode(): Code {
  const concerned = new Set<string>()
  let isAnywhere = false
  return {
    note(sql) {
      const { verb, kind, name, table } = subjectOf(sql) ?? {}
      if (verb !== 'create') return
      const on = kind === 'view' ? name : kind === 'trigger' ? table : ''
      if (on === undefined) isAnywhere = true
      else if (on !== '') concerned.add(on.toLowerCase()) // for some servers it is all one
    },
    runsFor: (table) => isAnywhere || concerned.has(table.toLowerCase()),
  }
}

interface Rewritten {
  /** Absent for a statement that is left out. */
  readonly sql?: string
  /** What the client is to say when it is done. */
  readonly said?: string
}

function rewriteStatement(given: string, rules: FilterRules): Rewritten {
  const sql = isNewTrigger(given) ? unqualifyTrigger(given, rules.from) : given
  requireOneMeaning(sql)
  requireExpected(sql)
  if (firstWord(sql) === '') return {}
  if (ofSchema.test(withoutVersions(sql))) return { sql: ofDatabase(sql) }
  const subject = subjectOf(sql)
  if (!subject) return { sql: requireOfSession(sql) }
  if (reachesOut(sql, subject)) throw refused(sql)
  if (!wants(subject, rules)) return {}
  const { verb } = subject
  if (verb !== 'create' && verb !== 'drop') return { sql }
  const { progress } = rules
  const isOurs = progress.has(subject)
  if (verb === 'drop') return isOurs ? { sql: dropOf(subject), said: progress.note(verb, subject) } : {}
  const rewritten = rewriteDefinition(isOurs ? sql : asNew(sql), subject, rules)
  return { sql: rewritten, said: progress.note(verb, subject) }
}

/** In words of our own: that and nothing else. */
function dropOf({ kind, name }: Subject): string {
  return `DROP ${kind.toUpperCase()} IF EXISTS ${quoteIdentifier(name)}`
}

const ofSchema = /^(?:CREATE|DROP|ALTER)\s+(?:OR\s+REPLACE\s+)?(?:DATABASE|SCHEMA)\b/i

function isNewTrigger(sql: string): boolean {
  return /^CREATE\b/i.test(withoutVersions(sql)) && subjectOf(sql)?.kind === 'trigger'
}

/** Whichever server it is: a statement about something else, or nothing but a comment, would not have been looked at. */
function requireOneMeaning(sql: string): void {
  const readings = readingsOf(sql)
  if (!readings) throw refused(sql)
  const meaning = meaningOf(sql)
  for (const reading of readings) {
    if (withoutVersions(reading).replace(/[;\s]/g, '') === '') continue
    requireExpected(reading)
    const subject = subjectOf(reading)
    if (meaningOf(reading) !== meaning || (subject && reachesOut(reading, subject))) throw refused(sql)
  }
}

function meaningOf(sql: string): string {
  const { verb, kind, name, table } = subjectOf(sql) ?? {}
  return JSON.stringify([firstWord(sql), verb, kind, name, table])
}

function requireExpected(sql: string): void {
  const word = firstWord(sql)
  if (!expected.has(word) || (word === '' && !/^[;\s]*$/.test(withoutVersions(sql)))) throw refused(sql)
  // SET STATEMENT … FOR runs any statement. In quotes as well: which ones are open is a question of modes.
  // Of functions and questions: a dump gives variables values, and those of others.
  if (word === 'SET' && sql.includes('(')) throw refused(sql)
  if (word === 'SET' && /\b(?:global|persist|password|statement)\b|@@(?:global|persist)/i.test(sql)) throw refused(sql)
}

/** What is about nothing that a dump makes can be about the session alone. */
function requireOfSession(sql: string): string {
  if (/^(?:SET\s|UNLOCK TABLES$|COMMIT$|START TRANSACTION|BEGIN$)/i.test(withoutVersions(sql))) return sql
  throw refused(sql)
}

/** All that a dump has to say of where a sequence stands; names in quotes are left out. */
const setsValue = /^(?:DO|SELECT)\s+SETVAL\s*\(\s*(?:''|[\w$]+)\s*,\s*-?\d+(?:\s*,\s*\d+){0,2}\s*\)\s*$/i

/** Whether it has to do with what is not in the database. */
function reachesOut(sql: string, { verb, kind, qualified }: Subject): boolean {
  if (qualified) return true
  const words = outsideQuotes(sql)
  if (/\bSONAME\b/i.test(words)) return true
  if (verb === 'drop') return /[,.]/.test(words) // one at a time
  if (verb === 'setval') return !setsValue.test(withoutVersions(words)) // a SELECT can do more, such as INTO OUTFILE
  if (verb === 'insert') return true // that of a dump begins with the word, and is not looked at here
  if (/\bUNION\s*=\s*\([^)]*\./i.test(words)) return true // tables that are merged into this one
  if (verb === 'alter') return /\b(?:RENAME|EXCHANGE)\b/i.test(words)
  return verb === 'create' && kind === 'table' && /\bSELECT\b/i.test(words)
}

function wants(subject: Subject, { tables, schema, rows }: FilterRules): boolean {
  const { verb, kind } = subject
  const ofRows = verb === 'lock' || verb === 'alter' || verb === 'setval'
  if (ofRows ? !rows && verb !== 'setval' : !schema) return false
  if (tables === undefined) return true
  if (kind === 'trigger') return verb === 'create' ? tables.has(subject.table ?? '') : true
  return (kind === 'table' || kind === 'sequence') && tables.has(subject.name)
}

function rewriteDefinition(given: string, subject: Subject, rules: FilterRules): string {
  let sql = given
  if (rules.from !== rules.into && /^(?:table|view)$/.test(subject.kind)) sql = requalify(sql, rules.from, rules.into)
  if (subject.kind !== 'table' && subject.kind !== 'sequence') {
    const account = definerOf(sql)
    rules.onDefinition(subject, rules.definerIsInvoker || account === undefined || /^CURRENT_USER/i.test(account))
    // Without a definer in its head, the word may stand in the body.
    if (rules.definerIsInvoker && account !== undefined) sql = invokerDefines(sql)
  }
  if (subject.kind !== 'event') return sql
  const still = stopEvent(sql)
  if (still !== sql) rules.onEnabledEvent(subject.name)
  return still
}

/**
 * A dump of one database gives its character set back around triggers and routines, by name; without the name it is
 * that of the database that is filled.
 */
function ofDatabase(sql: string): string {
  const match = /^ALTER DATABASE `(?:[^`]|``)*` (CHARACTER SET \w+ COLLATE \w+)\s*$/i.exec(withoutVersions(sql))
  if (match) return `ALTER DATABASE ${match[1]}`
  throw refused(sql)
}

/** Words of a statement: without what stands in quotes and comments, in both modes, with escapes and without. */
function outsideQuotes(sql: string): string {
  return [...new Set([withEscapes, withoutEscapes].map((parts) => sql.replace(parts, blank)))].join('\n')
}

const comments = /\/\*(?!M?!)[\s\S]*?\*\/|(?:--(?=\s)|#)[^\n]*/.source
const escaping = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`/.source
const withEscapes = new RegExp(`${escaping}|${comments}`, 'gs')
const withoutEscapes = new RegExp(`'[^']*'|"[^"]*"|\`[^\`]*\`|${comments}`, 'gs')
const blank = (part: string): string => (/^['"`]/.test(part) ? "''" : ' ')

function refused(sql: string): BackupError {
  return new BackupError('restore-refused', {
    message: `The dump holds what no dump program writes: ${JSON.stringify(sql.trim().slice(0, 80))}`,
    hint: 'It could be a command for the client, or reach out of the database. If you trust the dump, restore it by hand as its manifest says.',
  })
}

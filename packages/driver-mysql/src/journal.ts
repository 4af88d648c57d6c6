import type { Definition } from './definitions.js'
import { quoteIdentifier, quoteQualified } from './quoting.js'
import { codeOf, ownTables } from './schema-objects.js'
import type { Session } from './session.js'

/**
 * What an exchange of tables is about to do, written down before it begins: whatever happens in between, the next
 * command finds here how to finish it, or how to undo it.
 */
export interface Plan {
  /** Where the tables are wanted. */
  readonly database: string
  /** Where the new ones come from. */
  readonly incoming: string
  /** Where the old ones go; this schema holds the journal. */
  readonly aside: string
  /**
   * `all`: what goes can be taken back as a whole. Else it is a part, of no use once the restore is over. `missing` adds
   * rows to what stays.
   */
  readonly extent: 'all' | 'same' | 'missing'
  readonly outgoingTables: readonly string[]
  readonly incomingTables: readonly string[]
  /** Views, triggers, routines and events of the database that go; they stay here, as text. */
  readonly dropped: readonly Definition[]
  /** Those that the database is to have in the end. */
  readonly made: readonly Definition[]
  /** Triggers that must be gone before their tables can be renamed. */
  readonly incomingTriggers: readonly string[]
  /** Foreign keys of tables that stay to tables that go: they are to mean the new tables. */
  readonly foreignKeys: readonly ForeignKey[]
  /** Foreign keys of incoming tables to those that do not come: they are to mean the database's. */
  readonly incomingKeys: readonly ForeignKey[]
  /** Defaults of incoming columns that name the schema which they come from. */
  readonly defaults: readonly ColumnDefault[]
  /** Until when what goes is meant to be kept: ISO 8601, UTC. */
  readonly keepUntil?: string
  /** Tables that stay, and get the rows of the incoming ones of the same name. */
  readonly filled: readonly string[]
}

/** A foreign key, as `SHOW CREATE TABLE` writes it. */
export interface ForeignKey {
  readonly table: string
  readonly name: string
  readonly definition: string
}

/** A default of a column. */
export interface ColumnDefault {
  readonly table: string
  readonly column: string
  readonly expression: string
}

/** A journal, as it was found. */
export interface Journal {
  /**
   * `added`: the rows have been, and only events may still have to be started. `lost`: undone but for the views of
   * `dropped`, which could not be made again; their text is kept here.
   */
  readonly state: 'begun' | 'added' | 'done' | 'lost'
  readonly plan: Plan
}

const journalTable = ownTables.journal

const encode = (plan: Plan): Buffer => Buffer.from(JSON.stringify(plan))

/** Writes a plan down, in the schema that the old tables will go to. Durable when it returns. */
export async function writeJournal(session: Session, plan: Plan): Promise<void> {
  const table = quoteQualified(plan.aside, journalTable)
  await session.query(
    `create table ${table} (id int primary key, state varchar(10) not null, plan longblob not null) engine = InnoDB comment = ?`,
    [plan.database],
  )
  await session.query(`insert into ${table} values (1, 'begun', ?)`, [encode(plan)])
}

/** Notes that nothing is left to do. */
export async function closeJournal(session: Session, aside: string): Promise<void> {
  await session.query(`update ${quoteQualified(aside, journalTable)} set state = 'done' where id = 1`)
}

/** Notes that the exchange was undone, but for these. */
export async function keepLost(session: Session, plan: Plan, lost: readonly Definition[]): Promise<void> {
  const table = quoteQualified(plan.aside, journalTable)
  await session.query(`update ${table} set state = 'lost', plan = ? where id = 1`, [encode({ ...plan, dropped: lost })])
}

/** Notes that the rows have been added: for good with the transaction that adds them. */
export async function noteAdded(session: Session, aside: string): Promise<void> {
  await session.query(`update ${quoteQualified(aside, journalTable)} set state = 'added' where id = 1`)
}

/**
 * The journal of a schema; `undefined` where there is none, where it was not written to its end, or where it is of
 * another schema, out of which somebody has copied it: what it says would be done there.
 */
export async function readJournal(session: Session, aside: string): Promise<Journal | undefined> {
  const there = await session.query(
    'select 1 as found from information_schema.tables where binary table_schema = binary ? and table_name = ?',
    [aside, journalTable],
  )
  if (there.length === 0) return undefined
  const [row] = await session.query<{ state: Journal['state']; plan: Buffer }>(
    `select state, plan from ${quoteQualified(aside, journalTable)} where id = 1`,
  )
  if (!row) return undefined
  const plan = JSON.parse(row.plan.toString('utf8')) as Plan
  return plan.aside === aside ? { state: row.state, plan } : undefined
}

const fillingTable = ownTables.filling

/** Marks a database as one that is being filled. */
export async function markFilling(session: Session, database: string): Promise<void> {
  await session.query(`create table if not exists ${quoteQualified(database, fillingTable)} (i int) engine = InnoDB`)
}

/** Takes the mark away: the database is whole. */
export async function unmarkFilling(session: Session, database: string): Promise<void> {
  await session.query(`drop table if exists ${quoteQualified(database, fillingTable)}`)
}

/** Whether a restore into a database was killed, or is under way. It tells nothing of what was done there since. */
export async function isFilling(session: Session, database: string): Promise<boolean> {
  const rows = await session.query(
    'select 1 as found from information_schema.tables where binary table_schema = binary ? and table_name = ?',
    [database, fillingTable],
  )
  return rows.length > 0
}

const scratchTable = ownTables.scratch

/**
 * Marks a schema as the scratch of a database, in one statement. Its name alone proves nothing: anybody may have made
 * one of that name, and names of two databases that are cut to what fits look the same.
 */
export async function markScratch(session: Session, scratch: string, database: string): Promise<void> {
  const table = quoteQualified(scratch, scratchTable)
  await session.query(`create table if not exists ${table} (beside varchar(64)) engine = InnoDB comment = ?`, [
    database,
  ])
}

/** The database that a scratch was made for; `undefined` for a schema without a mark. */
export async function scratchOf(session: Session, schema: string): Promise<string | undefined> {
  const [row] = await session.query<{ comment: string }>(
    'select table_comment as comment from information_schema.tables where binary table_schema = binary ? and table_name = ?',
    [schema, scratchTable],
  )
  return row?.comment
}

/** Whether a schema holds nothing at all: as one does that was made a moment before its maker was killed. */
export async function isBare(session: Session, schema: string): Promise<boolean> {
  return (await commentsIn(session, schema)).size === 0 && (await codeOf(session, schema)).length === 0
}

/**
 * Whether a schema was made for an exchange of a database that came to its end before its plan was written down, and
 * holds nothing else. To be asked under the lock of the database.
 */
export async function isUnwritten(session: Session, aside: string, database: string): Promise<boolean> {
  const comments = await commentsIn(session, aside)
  if ((await codeOf(session, aside)).length > 0 || comments.size > 1) return false
  // Where the name was cut, it may be that of another database, whose restore is just about to write.
  if (comments.size === 0) return aside.startsWith(`${database}__`)
  if (comments.get(journalTable) !== database) return false
  return (await session.query(`select id from ${quoteQualified(aside, journalTable)} limit 1`)).length === 0
}

/** The comment of each table, those of Holdfast too. */
async function commentsIn(session: Session, schema: string): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query<{ name: string; comment: string }>(
    'select table_name as name, table_comment as comment from information_schema.tables where binary table_schema = binary ?',
    [schema],
  )
  return new Map(rows.map(({ name, comment }) => [name, comment]))
}

/** For messages. */
export const shown = (names: readonly string[]): string => names.map(quoteIdentifier).join(', ')

import { BackupError } from '@holdfast/core'
import type { Definition } from './definitions.js'
import { digestOf, type Proof, prove, readProof } from './journal-proof.js'
import { quoteIdentifier, quoteQualified } from './quoting.js'
import type { RoutineGrant } from './routine-grants.js'
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
  /** Rights on routines of `dropped`: they go with those, and are given again. */
  readonly routineGrants?: readonly RoutineGrant[]
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

/** A journal that this user has written. */
export interface Journal {
  /**
   * `added`: the rows have been, and only events may still have to be started. `lost`: undone but for views of `dropped`
   * that could not be made again; their text is kept here.
   */
  readonly state: 'begun' | 'added' | 'done' | 'lost'
  readonly plan: Plan
}

/** One that is not followed: what it says would be done with the rights of this user. */
export interface Unbelieved {
  readonly state: 'unbelieved'
  /** Whether it may be of an exchange that is neither finished nor undone. */
  readonly pending: boolean
  readonly problem: BackupError
}

const journalTable = ownTables.journal

/** Writes a plan down, in the schema that the old tables will go to. Durable when it returns. */
export async function writeJournal(session: Session, plan: Plan): Promise<void> {
  const table = quoteQualified(plan.aside, journalTable)
  const text = textOf(plan)
  await session.query(
    `create table ${table} (id int primary key, state varchar(10) not null, plan longblob not null) engine = InnoDB comment = ?`,
    [plan.database],
  )
  await prove(session, plan.aside, 'begun', digestOf(text))
  await session.query(`insert into ${table} values (1, 'begun', ?)`, [text])
}

const textOf = (plan: Plan): Buffer => Buffer.from(JSON.stringify(plan))

/** Notes that nothing is left to do (`done`), or that the exchange was undone but for what cannot be (`lost`). */
export async function closeJournal(session: Session, plan: Plan, state: 'done' | 'lost'): Promise<void> {
  await prove(session, plan.aside, state, digestOf(textOf(plan)))
}

/** Notes that the rows have been added: for good with the transaction that adds them. */
export async function noteAdded(session: Session, aside: string): Promise<void> {
  await session.query(`update ${quoteQualified(aside, journalTable)} set state = 'added' where id = 1`)
}

/**
 * The journal of an exchange of a database; `undefined` where there is none in the schema, where it was not written to
 * its end, or where it is of another database, or of another schema, out of which somebody has copied it.
 */
export async function readJournal(
  session: Session,
  aside: string,
  database: string,
): Promise<Journal | Unbelieved | undefined> {
  const [table] = await session.query<{ comment: string }>(
    `select table_comment as comment from information_schema.tables
      where binary table_schema = binary ? and table_name = ? and table_type = 'BASE TABLE'`,
    [aside, journalTable],
  )
  const row = table && (await readRow(session, aside))
  if (!row) return undefined
  const proof = await readProof(session, aside)
  if (!proof?.isOwn || digestOf(row.plan) !== proof.digest) {
    // Names are cut to what fits: that of another database may look the same.
    return table.comment === database ? unbelieved(aside, database, proof) : undefined
  }
  const plan = JSON.parse(row.plan.toString('utf8')) as Plan // as this user has written it
  if (plan.aside !== aside || plan.database !== database) return undefined
  return { state: proof.state === 'begun' && row.state === 'added' ? 'added' : proof.state, plan }
}

interface Row {
  readonly state: string
  readonly plan: Buffer
}

/**
 * The row of a journal. HANDLER opens tables and nothing else: a view that somebody has put in its place would run what
 * he wants with the rights of who reads it.
 */
async function readRow(session: Session, aside: string): Promise<Row | undefined> {
  await session.query(`handler ${quoteQualified(aside, journalTable)} open as journal`)
  try {
    const [row] = await session.query<Record<string, unknown>>('handler journal read first')
    return row && { state: String(row.state), plan: Buffer.from(row.plan as Buffer | string) }
  } finally {
    await session.query('handler journal close')
  }
}

function unbelieved(aside: string, database: string, proof: Proof | undefined): Unbelieved {
  const [here, there] = [database, aside].map(quoteIdentifier)
  const { isOwn, writer = '' } = proof ?? {}
  const why = !proof
    ? 'nothing proves that a restore has written it'
    : isOwn
      ? 'it is damaged, or somebody has changed it'
      : `${writer} has written it, who is not the user of this connection`
  const asWriter = proof && !isOwn ? `If ${writer} restores with Holdfast, clean up as that user. Else look` : 'Look'
  return {
    state: 'unbelieved',
    pending: proof?.state === 'begun',
    problem: new BackupError('restore-refused', {
      message: `The journal ${there}.${quoteIdentifier(journalTable)} is not followed: ${why}`,
      hint: `It tells what a restore of ${here} has replaced, and how it is finished or undone. ${asWriter} into ${there}: move back what ${here} lacks (RENAME TABLE), then drop it.`,
    }),
  }
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
  const ours = [journalTable, ownTables.proof].filter((name) => comments.has(name))
  if ((await codeOf(session, aside)).length > 0 || comments.size > ours.length) return false
  // Where the name was cut, it may be that of another database, whose restore is just about to write.
  if (!comments.has(journalTable)) return aside.startsWith(`${database}__`)
  if (comments.get(journalTable) !== database) return false
  return (await readRow(session, aside)) === undefined
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

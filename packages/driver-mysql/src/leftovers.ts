import type { RunContext } from '@holdfast/core'
import { schemasBeside } from './beside.js'
import type { BoundDatabase } from './bound-database.js'
import { settle } from './exchange.js'
import { isUnwritten, readJournal, shown, type Unbelieved } from './journal.js'
import { tryLock, unlock } from './restore-lock.js'
import { dropSchema } from './schema-properties.js'
import type { Session } from './session.js'
import { shielded } from './shielded.js'
import { warn } from './warn.js'

/** What became of what restores left. */
export interface Settled {
  /** What was done, for people. */
  readonly done: readonly string[]
  /** Journals that are not followed. */
  readonly unbelieved: readonly Unbelieved[]
}

/**
 * Puts in order what a restore left that was killed: an exchange of tables is finished or undone. Nothing happens while
 * another restore works on the database. One that was being filled is left alone: somebody may have filled it since.
 */
export async function settleLeftovers(
  session: Session,
  { connection, scratch }: BoundDatabase,
  ctx: RunContext,
): Promise<Settled> {
  const { database } = connection
  const done: string[] = []
  const unbelieved: Unbelieved[] = []
  if (scratch || !(await tryLock(session, database))) return { done, unbelieved }
  try {
    for (const { name: aside, kind } of (await schemasBeside(session, database)).toReversed()) {
      if (kind !== 'replaced') continue
      const journal = await readJournal(session, aside, database)
      if (journal?.state === 'unbelieved') unbelieved.push(journal)
      if (journal === undefined && (await isUnwritten(session, aside, database))) await dropSchema(session, aside)
      if (journal === undefined || journal.state === 'unbelieved' || journal.state === 'lost') continue
      const isPart = journal.plan.extent !== 'all'
      if (journal.state === 'done') {
        if (isPart) await dropSchema(session, aside)
        continue
      }
      const outcome = await settle(session, journal, shielded(ctx))
      if (isPart && outcome === 'finished') await dropSchema(session, aside)
      done.push(
        `An earlier restore of ${shown([database])} was interrupted while tables changed places: it was ${outcome} now`,
      )
    }
  } finally {
    await unlock(session, database)
  }
  for (const message of done) warn(message, ctx)
  return { done, unbelieved }
}

/**
 * Keeps a restore from beginning where another one may stand halfway: settled afterwards, that would change what this
 * one has brought.
 *
 * @throws {BackupError} `restore-refused`.
 */
export function refusePending(unbelieved: readonly Unbelieved[]): void {
  const found = unbelieved.find(({ pending }) => pending)
  if (found) throw found.problem
}

import { commentStatement, markStatement } from './aside-mark.js'
import { quoteIdentifier } from './quoting.js'
import type { Session } from './session.js'
import { endConnections, refuseIfInUse } from './target.js'

/** What {@link swapDatabases} does. */
export interface Swap {
  /** The name that is fought for. */
  readonly name: string
  /** Has it afterwards. */
  readonly fresh: string
  /** What the one that had it is called afterwards. */
  readonly aside: string
  /** Belongs to the name, and stays with it. */
  readonly comment?: string | undefined
  /** Until when the one that had it is meant to be kept. */
  readonly keepUntil?: Date | undefined
  readonly terminateConnections: boolean
  /** Another session in the maintenance database: it ends connections while the first one waits for that. */
  another(): Promise<Session>
}

/**
 * Gives the name of a database to another one, in one transaction. From the first rename on the server lets nobody
 * into the old one until the transaction ends, and waits five seconds for those that are in; where connections may be
 * ended, they are ended meanwhile. So nothing has to be closed first, which a kill would leave closed.
 *
 * @throws {BackupError} `target-in-use`. Either both have changed their names, or none.
 */
export async function swapDatabases(session: Session, swap: Swap): Promise<void> {
  const { name, fresh, aside, comment, keepUntil, terminateConnections } = swap
  if (!terminateConnections) await refuseIfInUse(session, name)
  await using helper = terminateConnections ? await swap.another() : undefined
  try {
    await session.query('begin')
    await rename(session, { from: name, to: aside }, helper)
    await rename(session, { from: fresh, to: name }, helper)
    await session.query(markStatement(aside, { beside: name, comment, keepUntil }))
    await session.query(commentStatement(name, comment))
    await session.query('commit')
  } catch (error) {
    await session.query('rollback').catch(() => {})
    throw error
  }
}

/** Gives a database another name, and the comment that it is to have under it. */
export async function renameDatabase(
  session: Session,
  from: string,
  to: string,
  comment: string | undefined,
): Promise<void> {
  try {
    await session.query('begin')
    await rename(session, { from, to }, undefined)
    await session.query(commentStatement(to, comment))
    await session.query('commit')
  } catch (error) {
    await session.query('rollback').catch(() => {})
    throw error
  }
}

async function rename(
  session: Session,
  { from, to }: { readonly from: string; readonly to: string },
  helper: Session | undefined,
): Promise<void> {
  let waits = true
  const renaming = session
    .query(`alter database ${quoteIdentifier(from)} rename to ${quoteIdentifier(to)}`)
    .finally(() => {
      waits = false
    })
  renaming.catch(() => {}) // awaited below, when the helper has done its part
  while (helper && waits) {
    await endConnections(helper, from)
    await helper.query('select pg_sleep(0.05)')
  }
  await renaming
}

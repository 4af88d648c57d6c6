import { isBackupError } from '@holdfast/core'
import { quoteQualified } from './quoting.js'
import type { Session } from './session.js'

/**
 * Whether a user may read all tables of a database, those that are still to be made as well. The server is asked for one
 * that is not there: who may read only single tables is refused, others are told that there is none. Its list of grants
 * would not do, for it does not tell of all that a user has.
 */
export async function readsWholeDatabase(session: Session, database: string): Promise<boolean> {
  return !(await isDenied(session, `select 1 from ${quoteQualified(database, '__holdfast_none')} limit 0`))
}

/** Whether the user may read a table, with all of its columns. */
export async function readsWholeTable(session: Session, database: string, table: string): Promise<boolean> {
  return !(await isDenied(session, `select * from ${quoteQualified(database, table)} limit 0`))
}

async function isDenied(session: Session, question: string): Promise<boolean> {
  return await session.query(question).then(
    () => false,
    (error) => {
      if (isBackupError(error, 'source-unreachable')) throw error
      return isBackupError(error, 'source-denied')
    },
  )
}

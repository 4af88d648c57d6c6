import { BackupError, type Manifest, type PreflightFindings } from '@holdfast/core'
import { collectProblems } from './problems.js'
import { quoteIdentifier } from './quoting.js'
import type { Session } from './session.js'
import { freeSpaceFindings } from './space.js'
import { refuseIfInUse } from './target.js'

/** What a swap would meet with. */
export interface SwapQuestion {
  readonly database: string
  readonly manifest: Manifest
  readonly terminateConnections: boolean
}

/** What would keep a database from taking the place of another one in the end. */
export async function checkSwap(
  session: Session,
  { database, manifest, terminateConnections }: SwapQuestion,
): Promise<PreflightFindings> {
  const space = await freeSpaceFindings(session, manifest)
  const problems = await collectProblems([
    () => requireOwner(session, database),
    async () => void (terminateConnections || (await refuseIfInUse(session, database))),
  ])
  return { problems: [...space.problems, ...problems], warnings: space.warnings }
}

/**
 * Only who owns a database may rename it, which is the last step of replacing it.
 *
 * @throws {BackupError} `restore-refused`.
 */
export async function requireOwner(session: Session, database: string): Promise<void> {
  const [row] = await session.query<{ owner: string; owns: boolean }>(
    `select pg_get_userbyid(datdba)::text as owner, pg_has_role(current_user, datdba, 'USAGE') as owns
       from pg_database where datname = $1`,
    [database],
  )
  if (row?.owns !== false) return
  throw new BackupError('restore-refused', {
    message: `The database ${quoteIdentifier(database)} belongs to ${row.owner}: only that role, or a member, may replace it`,
    hint: 'Connect as its owner, or restore with mode clean or append, or into another database.',
  })
}

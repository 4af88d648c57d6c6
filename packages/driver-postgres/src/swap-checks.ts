import type { Manifest, PreflightFindings } from '@holdfast/core'
import { requireOwner } from './database-rights.js'
import { collectProblems } from './problems.js'
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

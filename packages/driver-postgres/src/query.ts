import type { RunContext } from '@holdfast/core'
import type { BoundDatabase } from './restore-job.js'
import { withSession } from './session.js'

/** {@link Driver.query} for PostgreSQL: one statement, with the search path that anybody in this database has. */
export async function query(
  { connection }: BoundDatabase,
  statement: string,
  ctx: RunContext,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return await withSession(connection, ctx, async (session) => {
    await session.query('reset search_path')
    return await session.query(statement)
  })
}

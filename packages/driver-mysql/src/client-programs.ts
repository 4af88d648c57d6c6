import type { ClientProgram, RunContext } from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { columnsOfItsOwn, otherFlavourWarnings } from './other-flavour.js'
import { tablesOf } from './schema-objects.js'
import { type Session, withSession } from './session.js'
import { chooseTool } from './tools.js'

/** {@link Driver.programs} for MySQL and MariaDB. */
export async function clientPrograms(
  { connection, settings }: BoundDatabase,
  use: 'dump' | 'restore',
  ctx: RunContext,
): Promise<readonly ClientProgram[]> {
  const { database } = connection
  const columns = async (session: Session): Promise<readonly string[]> =>
    columnsOfItsOwn(session, database, await tablesOf(session, database))
  const look = async (session: Session) => ({
    server: session.server,
    ownColumns: use === 'dump' ? await columns(session) : [],
  })
  const { server, ownColumns } = await withSession(connection, ctx, look, use === 'dump' ? 'database' : 'none')
  const tool = await chooseTool(use === 'dump' ? 'dump' : 'client', server, settings.binDir, ownColumns)
  const { name, version, path } = tool
  const [warning] = otherFlavourWarnings(tool, server)
  return [{ name, version, path, ...(warning !== undefined && { warning }) }]
}

import type { ClientProgram, RunContext } from '@holdfast/core'
import { type Connection, displayOf } from './connection.js'
import type { PostgresSettings } from './options.js'
import { knowsRestrict } from './psql.js'
import { withSession } from './session.js'
import { chooseTool, type Tool, type ToolName } from './tools.js'

/** Most restores do without psql, so that one which they cannot use is a doubt and no error. */
async function described(tool: Tool): Promise<ClientProgram> {
  const { name, version, path } = tool
  const isDoubtful = name === 'psql' && !(await knowsRestrict(tool))
  const warning = `this psql cannot be kept from running commands that a dump may hold (CVE-2025-8714), so that it is not used: plain dumps, globals, and dumps of newer servers cannot be restored`
  return { name, version, path, ...(isDoubtful && { warning }) }
}

/** {@link Driver.programs} for PostgreSQL. */
export async function clientPrograms(
  connection: Connection,
  { binDir, globals }: PostgresSettings,
  use: 'dump' | 'restore',
  ctx: RunContext,
): Promise<readonly ClientProgram[]> {
  const dumps: readonly ToolName[] = globals ? ['pg_dump', 'pg_dumpall'] : ['pg_dump']
  const names: readonly ToolName[] = use === 'dump' ? dumps : ['pg_restore', 'psql']
  const version = await withSession(connection, ctx, async ({ versionNumber }) => versionNumber)
  const major = Math.floor(version / 10_000)
  const needs = `a PostgreSQL ${major} server (${displayOf(connection)})`
  const tools = await Promise.all(names.map((name) => chooseTool(name, major, binDir, needs)))
  return await Promise.all(tools.map(described))
}

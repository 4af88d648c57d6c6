import type { ClientProgram, RunContext } from '@holdfast/core'
import { type Connection, displayOf } from './connection.js'
import type { PostgresSettings } from './options.js'
import { withSession } from './session.js'
import { chooseTool, type ToolName } from './tools.js'

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
  return tools.map(({ name, version, path }) => ({ name, version, path }))
}

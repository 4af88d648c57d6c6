import { type DumpRequest, type DumpSession, type ProgramPart, programDump, type RunContext } from '@holdfast/core'
import { type Connection, displayOf } from './connection.js'
import {
  type DumpPlan,
  type DumpSource,
  formatOf,
  globalsPart,
  mainPart,
  type PlannedPart,
  readDumpSource,
  reportOf,
} from './dump-plan.js'
import { beginSnapshot, type Snapshot } from './inventory.js'
import type { PostgresSettings } from './options.js'
import { prepareProgram } from './programs.js'
import { type Selection, selectionOf, withDescendants } from './selection.js'
import { openSession, type Session } from './session.js'
import { chooseTool, type Tool, type ToolName } from './tools.js'

/** {@link Driver.dump} for PostgreSQL. */
export async function dump(
  connection: Connection,
  settings: PostgresSettings,
  request: DumpRequest,
  ctx: RunContext,
): Promise<DumpSession> {
  const format = formatOf(request, settings)
  const session = await openSession(connection, ctx)
  try {
    return await dumpIn(session, { connection, settings, request, format }, ctx)
  } catch (error) {
    await session[Symbol.asyncDispose]()
    throw error
  }
}

interface Wanted {
  readonly connection: Connection
  readonly settings: PostgresSettings
  readonly request: DumpRequest
  readonly format: DumpPlan['format']
}

/** The session belongs to the dump from then on. */
async function dumpIn(session: Session, wanted: Wanted, ctx: RunContext): Promise<DumpSession> {
  const { connection, settings, request, format } = wanted
  const selection = selectionOf(request, settings)
  const source = await readDumpSource(session, connection, selection, request)
  const needs = `a PostgreSQL ${source.serverMajor} server (${displayOf(connection)})`
  const choose = (name: ToolName): Promise<Tool> => chooseTool(name, source.serverMajor, settings.binDir, needs)
  const [snapshot, pgDump, pgDumpall] = await Promise.all([
    snapshotFor(request, selection, session),
    choose('pg_dump'),
    settings.globals ? choose('pg_dumpall') : undefined,
  ])
  const patterns = await withDescendants(selection, session) // as they are in the snapshot
  if (!snapshot) await session[Symbol.asyncDispose]()
  const plan: DumpPlan = { format, request, settings, selection, patterns, source, snapshotId: snapshot?.id }
  const planned = [mainPart(pgDump, plan), ...(pgDumpall ? [globalsPart(pgDumpall, connection, source)] : [])]
  return programDump(
    {
      parts: planned.map((part) => programPart(part, wanted, source, snapshot)),
      report: (warnings) => reportOf(plan, planned, warnings),
      inventory: snapshot?.inventory,
      close: async () => await session[Symbol.asyncDispose](),
    },
    ctx,
  )
}

/** Connects to the server that was asked, where there are several. Rows are counted beside `pg_dump`. */
function programPart(
  { tool, args, part }: PlannedPart,
  { connection, settings, request: { onWarning } }: Wanted,
  { endpoint }: DumpSource,
  snapshot: Snapshot | undefined,
): ProgramPart {
  const pinned: Connection = { ...connection, endpoints: [endpoint] }
  const asked = { tool, args, failure: 'dump-failed', connection: pinned, onWarning } as const
  const countsBeside = tool.name === 'pg_dump' && snapshot !== undefined
  return {
    part,
    prepare: (ctx) => prepareProgram(asked, settings, ctx),
    onStart: countsBeside ? () => void snapshot.inventory() : undefined,
  }
}

/** Without rows there is nothing to count. */
async function snapshotFor(
  { sections, inventory = 'none' }: DumpRequest,
  selection: Selection,
  session: Session,
): Promise<Snapshot | undefined> {
  if (sections === 'schema' || inventory === 'none') return undefined
  return await beginSnapshot(session, selection, inventory)
}

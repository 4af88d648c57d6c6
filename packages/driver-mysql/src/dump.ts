import {
  type DumpReport,
  type DumpRequest,
  type DumpSession,
  type ProgramPart,
  programDump,
  type RunContext,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import {
  type DumpSource,
  dumpArguments,
  mainPart,
  readDumpSource,
  reportedOptions,
  requireAllRows,
} from './dump-plan.js'
import { prepareSnapshot, type Snapshot } from './inventory.js'
import { columnsOfItsOwn, otherFlavourWarnings } from './other-flavour.js'
import { prepareProgram } from './programs.js'
import { withSession } from './session.js'
import { chooseTool, type Tool } from './tools.js'

/** {@link Driver.dump} for MySQL and MariaDB. */
export async function dump(bound: BoundDatabase, request: DumpRequest, ctx: RunContext): Promise<DumpSession> {
  const { connection, settings } = bound
  const { source, ownColumns } = await withSession(connection, ctx, async (session) => {
    const source = await readDumpSource(session, bound, request)
    const withRows = request.sections !== 'schema'
    const ownColumns = withRows ? await columnsOfItsOwn(session, connection.database, source.tables) : []
    return { source, ownColumns }
  })
  const tool = await chooseTool('dump', source.server, settings.binDir, ownColumns)
  requireAllRows(tool, source)
  const level = request.sections === 'schema' ? 'none' : (request.inventory ?? 'none') // no rows, nothing to count
  const snapshot = level === 'none' ? undefined : prepareSnapshot(bound, source.tables, level, ctx)
  const dumping = { bound, request, source, tool, snapshot }
  return programDump(
    {
      parts: [programPart(dumping)],
      report: (warnings) => reportOf(dumping, warnings),
      inventory: snapshot && (() => snapshot.inventory()),
      close: async () => await snapshot?.[Symbol.asyncDispose](),
    },
    ctx,
  )
}

interface Dumping {
  readonly bound: BoundDatabase
  readonly request: DumpRequest
  readonly source: DumpSource
  readonly tool: Tool
  readonly snapshot: Snapshot | undefined
}

function programPart({ bound, request, source, tool, snapshot }: Dumping): ProgramPart {
  const begun = Promise.withResolvers<void>()
  // The structure of a table is asked for within the transaction, and told of by the program itself: whatever other
  // sessions there are, none can be taken for it.
  const onStage = (line: string): void => {
    if (/^-- Retrieving /.test(line)) begun.resolve()
  }
  const { onWarning } = request
  return {
    part: mainPart(source, request),
    async prepare(ctx) {
      const args = dumpArguments(tool, source, bound, request, snapshot !== undefined)
      const program = await prepareProgram({ tool, args, failure: 'dump-failed', onWarning, onStage }, bound, ctx)
      try {
        await snapshot?.hold()
        return program
      } catch (error) {
        await program[Symbol.asyncDispose]()
        throw error
      }
    },
    onStart: snapshot && ((ended) => startCounting(snapshot, begun.promise, ended)),
  }
}

function startCounting(snapshot: Snapshot, begun: Promise<void>, ended: Promise<unknown>): void {
  snapshot.release(begun, ended).catch(() => {}) // seen by whoever asks for the inventory
  snapshot.inventory().catch(() => {})
}

function reportOf({ bound, request, source, tool }: Dumping, warnings: readonly string[]): DumpReport {
  // Each dump program writes for the client of its own flavour.
  const client = tool.flavour === 'mariadb' ? 'mariadb' : 'mysql'
  return {
    serverVersion: source.server.version,
    tools: { [tool.name]: tool.version },
    warnings: [...otherFlavourWarnings(tool, source.server), ...source.warnings, ...warnings],
    options: reportedOptions(source, bound, request),
    recover: `${client} --binary-mode --comments --max-allowed-packet=1G --default-character-set=utf8mb4 TARGET`,
  }
}

import {
  BackupError,
  type ChildOutput,
  childOutput,
  type DumpPart,
  type DumpReport,
  type DumpRequest,
  type DumpSession,
  type Inventory,
  type RunContext,
} from '@holdfast/core'
import { type Connection, displayOf } from './connection.js'
import {
  type DumpPlan,
  formatOf,
  globalsPart,
  mainPart,
  type PlannedPart,
  readDumpSource,
  reportedOptions,
} from './dump-plan.js'
import { beginSnapshot, type Snapshot } from './inventory.js'
import type { PostgresSettings } from './options.js'
import { type Program, prepareProgram } from './programs.js'
import { selectionOf } from './selection.js'
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
async function dumpIn(
  session: Session,
  { connection, settings, request, format }: Wanted,
  ctx: RunContext,
): Promise<DumpSession> {
  const selection = selectionOf(request, settings)
  const source = await readDumpSource(session, connection, selection)
  const needs = `a PostgreSQL ${source.serverMajor} server (${displayOf(connection)})`
  const choose = (name: ToolName): Promise<Tool> => chooseTool(name, source.serverMajor, settings.binDir, needs)
  const level = request.sections === 'schema' ? 'none' : (request.inventory ?? 'none') // no rows, nothing to count
  const pinned: Connection = { ...connection, endpoints: [source.endpoint] }
  const [snapshot, pgDump, pgDumpall] = await Promise.all([
    level === 'none' ? undefined : beginSnapshot(session, selection, level),
    choose('pg_dump'),
    settings.globals ? choose('pg_dumpall') : undefined,
  ])
  if (!snapshot) await session[Symbol.asyncDispose]()
  const plan: DumpPlan = { format, request, settings, selection, source, snapshotId: snapshot?.id }
  const planned = [mainPart(pgDump, plan), ...(pgDumpall ? [globalsPart(pgDumpall, connection, source)] : [])]
  const report = (warnings: readonly string[]): DumpReport => ({
    serverVersion: source.serverVersion,
    tools: Object.fromEntries(planned.map(({ tool }) => [tool.name, tool.version])),
    warnings: [...source.warnings, ...warnings],
    options: reportedOptions(plan),
    recover:
      format === 'custom'
        ? 'pg_restore --exit-on-error --dbname=TARGET'
        : 'psql -X -v ON_ERROR_STOP=1 --single-transaction --dbname=TARGET',
  })
  const prepare = ({ tool, args }: PlannedPart): Promise<Program> =>
    prepareProgram(
      { tool, args, failure: 'dump-failed', connection: pinned, onWarning: request.onWarning },
      settings,
      ctx,
    )
  return dumpSession({ planned, prepare, report, session, snapshot, ctx })
}

interface SessionParts {
  readonly planned: readonly PlannedPart[]
  prepare(part: PlannedPart): Promise<Program>
  report(warnings: readonly string[]): DumpReport
  readonly session: Session
  /** In the session. */
  readonly snapshot: Snapshot | undefined
  readonly ctx: RunContext
}

function dumpSession({ planned, prepare, report, session, snapshot, ctx }: SessionParts): DumpSession {
  const cancel = new AbortController()
  const signal = AbortSignal.any([ctx.signal, cancel.signal])
  const running: Promise<unknown>[] = []
  const { promise: done, resolve, reject } = Promise.withResolvers<DumpReport>()
  done.catch(() => {}) // whoever awaits it sees it
  const warnings: string[] = []

  async function* parts(): AsyncGenerator<DumpPart> {
    for (const [index, plan] of planned.entries()) {
      const program = await prepare(plan).catch((error) => {
        reject(error)
        throw error
      })
      const output = childOutput(program.spec, { ...ctx, signal })
      const ended = output.done
        .finally(() => program[Symbol.asyncDispose]())
        .then(() => {
          warnings.push(...program.messages.warnings)
          if (index === planned.length - 1) resolve(report(warnings))
        })
      ended.catch(reject)
      running.push(ended)
      let taken = false
      const take: DumpPart['take'] = () => {
        if (taken) throw new BackupError('internal', { message: `The part ${plan.part.name} was taken twice` })
        taken = true
        return { kind: 'process', output: index === 0 ? whenStarted(output, () => snapshot?.inventory()) : output }
      }
      yield { ...plan.part, take }
      if (taken) await ended.catch(() => {}) // one program after the other; `done` tells how it went
    }
  }

  return {
    parts: parts(),
    done,
    ...(snapshot ? { inventory: (): Promise<Inventory> => snapshot.inventory() } : {}),
    async [Symbol.asyncDispose]() {
      const reason = new BackupError('aborted', { message: 'The dump was given up before its end' })
      cancel.abort(reason)
      reject(reason)
      await Promise.allSettled(running)
      await session[Symbol.asyncDispose]()
    },
  }
}

/** The same output; `onStart` runs when its program is started. */
function whenStarted(output: ChildOutput, onStart: () => void): ChildOutput {
  return {
    done: output.done,
    async *read() {
      onStart()
      yield* output.read()
    },
    startInto(sink) {
      output.startInto(sink)
      onStart()
    },
  }
}

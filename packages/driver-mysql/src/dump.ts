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
import type { BoundDatabase } from './bound-database.js'
import { type DumpSource, dumpArguments, mainPart, readDumpSource, reportedOptions } from './dump-plan.js'
import { prepareSnapshot, type Snapshot } from './inventory.js'
import { columnsOfItsOwn, otherFlavourWarnings } from './other-flavour.js'
import { type Program, prepareProgram } from './programs.js'
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
  const level = request.sections === 'schema' ? 'none' : (request.inventory ?? 'none') // no rows, nothing to count
  const snapshot = level === 'none' ? undefined : prepareSnapshot(bound, source.tables, level, ctx)
  return dumpSession({ bound, request, source, tool, snapshot, ctx })
}

interface Dumping {
  readonly bound: BoundDatabase
  readonly request: DumpRequest
  readonly source: DumpSource
  readonly tool: Tool
  readonly snapshot: Snapshot | undefined
  readonly ctx: RunContext
}

function dumpSession({ bound, request, source, tool, snapshot, ctx }: Dumping): DumpSession {
  const cancel = new AbortController()
  const signal = AbortSignal.any([ctx.signal, cancel.signal])
  const { promise: done, resolve, reject } = Promise.withResolvers<DumpReport>()
  done.catch(() => {}) // whoever awaits it sees it
  let running: Promise<unknown> = Promise.resolve()
  const begun = Promise.withResolvers<void>()
  // The structure of a table is asked for within the transaction, and told of by the program itself: whatever other
  // sessions there are, none can be taken for it.
  const onStage = (line: string): void => {
    if (/^-- Retrieving /.test(line)) begun.resolve()
  }

  const prepare = async (): Promise<Program> => {
    const args = dumpArguments(tool, source, bound, request, snapshot !== undefined)
    const { onWarning } = request
    const asked = { tool, args, failure: 'dump-failed', onWarning, onStage } as const
    const program = await prepareProgram(asked, bound, { ...ctx, signal })
    try {
      await snapshot?.hold()
      return program
    } catch (error) {
      await program[Symbol.asyncDispose]()
      throw error
    }
  }

  async function* parts(): AsyncGenerator<DumpPart> {
    const program = await prepare().catch((error) => {
      reject(error)
      throw error
    })
    const output = childOutput(program.spec, { ...ctx, signal })
    const ended = output.done
      .finally(() => program[Symbol.asyncDispose]())
      .then(() => resolve(reportOf({ bound, request, source, tool }, program.messages.warnings)))
    ended.catch(reject)
    running = ended
    let taken = false
    const take: DumpPart['take'] = () => {
      if (taken) throw new BackupError('internal', { message: 'The part sql was taken twice' })
      taken = true
      return {
        kind: 'process',
        output: snapshot ? whenStarted(output, () => startCounting(snapshot, begun.promise, output.done)) : output,
      }
    }
    yield { ...mainPart(source, request), take }
    if (taken) await ended.catch(() => {}) // `done` tells how it went
  }

  return {
    parts: parts(),
    done,
    ...(snapshot ? { inventory: (): Promise<Inventory> => snapshot.inventory() } : {}),
    async [Symbol.asyncDispose]() {
      const reason = new BackupError('aborted', { message: 'The dump was given up before its end' })
      cancel.abort(reason)
      reject(reason)
      await Promise.allSettled([running])
      await snapshot?.[Symbol.asyncDispose]()
    },
  }
}

function startCounting(snapshot: Snapshot, begun: Promise<void>, ended: Promise<unknown>): void {
  snapshot.release(begun, ended).catch(() => {}) // seen by whoever asks for the inventory
  snapshot.inventory().catch(() => {})
}

function reportOf(
  { bound, request, source, tool }: Pick<Dumping, 'bound' | 'request' | 'source' | 'tool'>,
  warnings: readonly string[],
): DumpReport {
  const client = source.server.flavour === 'mariadb' ? 'mariadb' : 'mysql'
  return {
    serverVersion: source.server.version,
    tools: { [tool.name]: tool.version },
    warnings: [...otherFlavourWarnings(tool, source.server), ...source.warnings, ...warnings],
    options: reportedOptions(source, bound, request),
    recover: `${client} --binary-mode --comments --max-allowed-packet=1G --default-character-set=utf8mb4 TARGET`,
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

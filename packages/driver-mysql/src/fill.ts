import type { Readable } from 'node:stream'
import {
  BackupError,
  inTurns,
  type ManifestPart,
  MiB,
  type RestoreRequest,
  type RestoreSource,
  type RunContext,
  readAhead,
  requireTrailer,
  startChild,
  writeToChild,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { collectDefinitions, definerWarnings } from './definers.js'
import { filterDump } from './dump-filter.js'
import { dumpTrailer } from './dump-plan.js'
import { prepareProgram } from './programs.js'
import type { Progress } from './progress.js'
import { boundless } from './session.js'
import { initialMode } from './sql-modes.js'
import type { Tool } from './tools.js'

/** What is looked at before a write has its turn: less than the client has read by then. */
const bytesInATurn = MiB / 16

/** One dump on its way into one database. */
export interface Filling {
  /** The database to fill. */
  readonly bound: BoundDatabase
  readonly from: RestoreSource
  readonly request: RestoreRequest
  readonly tool: Tool
  readonly warnings: string[]
  /** Gets the names of the events that are to run in the end: while it is filled, none does. */
  readonly enabledEvents: Set<string>
  /** Of this dump, in this database. */
  readonly progress: Progress
  readonly ctx: RunContext
}

/**
 * Runs a dump through the client into a database.
 *
 * @throws {BackupError} `restore-failed`, `restore-refused`; what the source throws, after the client is gone.
 */
export async function fill(filling: Filling): Promise<void> {
  const { bound, from, request, tool, warnings, enabledEvents, progress, ctx } = filling
  const part = sqlPart(from)
  await using program = await prepareProgram({ tool, args: clientArgs(filling), failure: 'restore-failed' }, bound, ctx)
  const definitions = collectDefinitions()
  const script = filterDump(inTurns(requireTrailer(from.open(part.name, ctx), dumpTrailer), bytesInATurn), {
    from: from.manifest.database,
    into: bound.connection.database,
    ...(request.tables ? { tables: new Set(tableNames(request.tables, from.manifest.database)) } : {}),
    schema: request.sections !== 'data',
    rows: request.sections !== 'schema',
    definerIsInvoker: makesDefinersOwn(filling),
    progress,
    onEnabledEvent: (name) => enabledEvents.add(name),
    onDefinition: definitions.note,
  })
  const onStderrLine = (line: string): void => {
    progress.readError(line)
    program.messages.onLine(line)
  }
  const child = startChild({ ...program.spec, onStderrLine }, { stdin: 'pipe', stdout: 'pipe' }, ctx)
  const reading = readLines(child.stdout, progress.read)
  try {
    // While the server runs a statement nobody reads: the next ones, a mebibyte each, are to be ready then.
    await writeToChild(child, readAhead(script))
  } finally {
    await reading
  }
  const isForeign = from.fromFile === true
  warnings.push(
    ...program.messages.warnings,
    ...(await definerWarnings(bound.connection, definitions, { isForeign }, ctx)),
  )
}

function clientArgs({ bound, tool, progress }: Filling): readonly string[] {
  return [
    '--batch',
    // The client reads no commands but DELIMITER, and takes every byte as it comes.
    '--binary-mode',
    // Without this, comments in the bodies of routines are lost, and one in a trigger makes the statement fail.
    '--comments',
    // What it says of the progress is to come at once, and alone.
    '--unbuffered',
    '--skip-column-names',
    ...(tool.knows('sandbox') ? ['--sandbox'] : []),
    ...(tool.knows('system-command') ? ['--skip-system-command'] : []),
    '--skip-local-infile',
    '--default-character-set=utf8mb4',
    '--max-allowed-packet=1G',
    `--init-command=SET ${boundless}, SESSION sql_mode='${initialMode}', lock_wait_timeout=${bound.connection.lockSeconds}, @holdfast=GET_LOCK('${progress.lock}',0)`,
  ]
}

/** Whether views, triggers, routines and events of a dump get the connecting user as their definer. */
export function makesDefinersOwn({
  bound,
  request,
}: {
  readonly bound: Pick<BoundDatabase, 'settings'>
  readonly request: Pick<RestoreRequest, 'noOwner'>
}): boolean {
  return request.noOwner === true || bound.settings.definer === 'invoker'
}

/** Until the stream ends, however it does: the child says why. */
async function readLines(stream: Readable | undefined, onLine: (line: string) => void): Promise<void> {
  let rest = ''
  try {
    for await (const chunk of stream ?? []) {
      const lines = (rest + (chunk as Buffer).toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    }
  } catch {
    // as said
  }
}

/** Names of tables, with or without the database before them. */
function tableNames(tables: readonly string[], database: string): readonly string[] {
  return tables.map((table) => (table.startsWith(`${database}.`) ? table.slice(database.length + 1) : table))
}

/** The part that holds the dump. */
export function sqlPart(from: RestoreSource): ManifestPart {
  const part = from.parts.find(({ name }) => name === 'sql')
  if (part) return part
  throw new BackupError('restore-refused', {
    message: 'The backup has no part "sql"',
    hint: 'Was it made by a driver for MySQL or MariaDB?',
  })
}

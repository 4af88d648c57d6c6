import {
  BackupError,
  coalesce,
  type ManifestPart,
  type RestoreRequest,
  type RestoreSource,
  type RunContext,
  requireTrailer,
  startChild,
  writeToChild,
} from '@holdfast/core'
import { adoptedWarnings, collectAdopted } from './adopted.js'
import type { BoundDatabase } from './bound-database.js'
import { filterDump } from './dump-filter.js'
import { dumpTrailer } from './dump-plan.js'
import { lockSeconds, prepareProgram } from './programs.js'
import type { Tool } from './tools.js'

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
  readonly ctx: RunContext
}

const blockBytes = 256 * 1024

/**
 * Runs a dump through the client into a database.
 *
 * @throws {BackupError} `restore-failed`, `restore-refused`; what the source throws, after the client is gone.
 */
export async function fill({ bound, from, request, tool, warnings, enabledEvents, ctx }: Filling): Promise<void> {
  const part = sqlPart(from)
  const args = [
    '--batch',
    // The client reads no commands but DELIMITER, and takes every byte as it comes.
    '--binary-mode',
    // Without this, comments in the bodies of routines are lost, and one in a trigger makes the statement fail.
    '--comments',
    ...(tool.knows('sandbox') ? ['--sandbox'] : []),
    ...(tool.knows('system-command') ? ['--skip-system-command'] : []),
    '--skip-local-infile',
    '--default-character-set=utf8mb4',
    '--max-allowed-packet=1G',
    `--init-command=SET SESSION lock_wait_timeout=${lockSeconds(bound.settings)}`,
  ]
  await using program = await prepareProgram({ tool, args, failure: 'restore-failed' }, bound, ctx)
  const adopted = collectAdopted()
  const script = filterDump(requireTrailer(from.open(part.name, ctx), dumpTrailer), {
    from: from.manifest.database,
    into: bound.connection.database,
    ...(request.tables ? { tables: new Set(tableNames(request.tables, from.manifest.database)) } : {}),
    schema: request.sections !== 'data',
    rows: request.sections !== 'schema',
    definerIsInvoker: request.noOwner === true || bound.settings.definer === 'invoker',
    onEnabledEvent: (name) => enabledEvents.add(name),
    onDefinition: adopted.note,
  })
  const child = startChild(program.spec, { stdin: 'pipe', stdout: 'ignore' }, ctx)
  await writeToChild(child, coalesce(script, blockBytes))
  warnings.push(...program.messages.warnings, ...(await adoptedWarnings(bound.connection, adopted, ctx)))
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

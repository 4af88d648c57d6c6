import { BackupError, type DumpPart, type DumpRequest } from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { firstOf } from './first-of.js'
import { type Kind, kindsHeld } from './held-kinds.js'
import { ownTables, type TableInfo, tablesOf } from './schema-objects.js'
import { readProperties, type SchemaProperties } from './schema-properties.js'
import type { Server } from './server.js'
import { boundless, type Session } from './session.js'
import { chooseTables, type TableChoice } from './table-selection.js'
import type { Tool } from './tools.js'
import { unseenWarnings } from './unseen.js'

/** Text near the end of every whole dump. */
export const dumpTrailer = '-- Dump completed'

/** What is known of the source before anything is started. */
export interface DumpSource {
  readonly server: Server
  /** See {@link Session.rowLimit}. */
  readonly rowLimit: string | undefined
  readonly properties: SchemaProperties
  /** What is dumped: tables and sequences. */
  readonly tables: readonly TableInfo[]
  readonly choice: TableChoice
  /** Kinds of what is dumped beside tables: a restore needs rights of its own for each. */
  readonly holds: readonly Kind[]
  readonly warnings: readonly string[]
}

/** Asks the source what a dump of it needs to know, and checks that the patterns match something. */
export async function readDumpSource(
  session: Session,
  { connection, settings }: BoundDatabase,
  request: DumpRequest,
): Promise<DumpSource> {
  if (request.format !== undefined && request.format !== 'sql') {
    throw new BackupError('config-invalid', {
      message: `The dump format ${JSON.stringify(request.format)} is not known to the MySQL driver`,
      hint: 'There is one: sql.',
    })
  }
  const { database } = connection
  const all = await tablesOf(session, database)
  const choice = chooseTables(request, database, all)
  const chosen = all.filter(({ name }) => (choice.only ? choice.only.includes(name) : !choice.excluded.includes(name)))
  const tables = chosen.filter(({ kind }) => kind !== 'view')
  const plain = tables.filter((table) => table.kind === 'table' && !table.transactional && table.engine !== undefined)
  const warnings = [...choice.warnings]
  if (plain.length > 0 && !settings.lockTables && request.sections !== 'schema') {
    const names = plain.map(({ name, engine }) => `${name} (${engine})`)
    warnings.push(
      `Tables without transactions are dumped as they are when their turn comes, not of one state: ${firstOf(names)}; lockTables locks them meanwhile`,
    )
  }
  const properties = await readProperties(session, database)
  warnings.push(...(await unseenWarnings(session, { database, settings, request, choice, chosen })))
  const holds = await kindsHeld(session, { database, settings, request, choice, chosen })
  const { server, rowLimit } = session
  return { server, rowLimit, properties, tables, choice, holds, warnings }
}

/**
 * A program that cannot be told otherwise takes the first rows of each table for all that there are, and ends well.
 *
 * @throws {BackupError} `dump-failed`.
 */
export function requireAllRows({ name, version, knows }: Tool, { rowLimit }: DumpSource): void {
  if (rowLimit === undefined || knows('init-command')) return
  throw new BackupError('dump-failed', {
    message: `The server gives ${rowLimit} rows of a table at most (sql_select_limit), and ${name} ${version} cannot be told to ask for all: the dump would lack the others`,
    hint: 'SET GLOBAL sql_select_limit = DEFAULT; where init_connect sets it for this user, leave that out.',
  })
}

/** Whether the past of system-versioned tables is dumped. */
function dumpsHistory(tool: Tool, source: DumpSource, { settings }: BoundDatabase): boolean {
  const can = tool.knows('dump-history') && source.server.number >= 101_100
  return can && source.tables.some(({ versioned }) => versioned) && settings.history !== false
}

/** The arguments of the dump program: each flag that server and program need, as far as the program knows it. */
export function dumpArguments(
  tool: Tool,
  source: DumpSource,
  bound: BoundDatabase,
  request: DumpRequest,
  tellsStages: boolean,
): string[] {
  const { settings, connection } = bound
  const { database } = connection
  const { only, excluded } = source.choice
  const withRows = request.sections !== 'schema'
  const withSchema = request.sections !== 'data'
  const code = withSchema && only === undefined
  const flags: readonly (readonly [wanted: boolean, flag: string])[] = [
    [!settings.lockTables, '--single-transaction'],
    [settings.lockTables === true, '--lock-tables'],
    [true, '--quick'],
    [true, '--hex-blob'],
    [true, '--default-character-set=utf8mb4'],
    [true, '--max-allowed-packet=1G'],
    [true, '--comments'],
    [true, '--skip-dump-date'],
    [tellsStages, '--verbose'], // to standard error
    [code && settings.routines !== false, '--routines'],
    [!(code && settings.routines !== false), '--skip-routines'],
    [code && settings.events !== false, '--events'],
    [!(code && settings.events !== false), '--skip-events'],
    [withSchema && settings.triggers !== false, '--triggers'],
    [!(withSchema && settings.triggers !== false), '--skip-triggers'],
    [!withRows, '--no-data'],
    [!withSchema, '--no-create-info'],
    [dumpsHistory(tool, source, bound) && withRows, '--dump-history'],
    // A default of a column that asks a sequence asks it for every row, and under LOCK TABLES it may not.
    [source.tables.some(({ kind }) => kind === 'sequence'), '--skip-add-locks'],
    [tool.knows('no-tablespaces'), '--no-tablespaces'],
    [tool.knows('set-gtid-purged'), '--set-gtid-purged=OFF'],
    [tool.knows('column-statistics'), '--column-statistics=0'],
    [
      tool.knows('init-command'),
      `--init-command=SET ${boundless}, SESSION lock_wait_timeout=${connection.lockSeconds}`,
    ],
  ]
  return [
    ...flags.flatMap(([wanted, flag]) => (wanted ? [flag] : [])),
    ...[...excluded, ...Object.values(ownTables)].map((name) => `--ignore-table=${database}.${name}`),
    '--',
    database,
    ...(only ?? []),
  ]
}

/** The part that the dump program writes. */
export function mainPart(source: DumpSource, request: DumpRequest): Omit<DumpPart, 'take'> {
  const expectedBytes = source.tables.reduce((sum, { dataBytes }) => sum + dataBytes, 0)
  return {
    name: 'sql',
    mediaType: 'application/sql',
    trailer: dumpTrailer,
    ...(request.sections === 'schema' || expectedBytes === 0 ? {} : { expectedBytes }),
  }
}

/** The options in force, for the manifest. */
export function reportedOptions(
  source: DumpSource,
  { settings }: BoundDatabase,
  request: DumpRequest,
): Record<string, unknown> {
  const options = {
    flavour: source.server.flavour,
    format: 'sql',
    sections: request.sections ?? 'all',
    tables: request.tables,
    excludeTables: request.excludeTables?.length ? request.excludeTables : undefined,
    lockTables: settings.lockTables,
    routines: settings.routines,
    events: settings.events,
    triggers: settings.triggers,
    history: settings.history,
    database: source.properties,
    holds: source.holds,
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

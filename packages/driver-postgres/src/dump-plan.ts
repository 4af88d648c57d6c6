import { BackupError, type DumpPart, type DumpReport, type DumpRequest } from '@holdfast/core'
import type { Connection, Endpoint } from './connection.js'
import { readProperties } from './database-properties.js'
import { leftOut } from './left-out.js'
import type { PostgresSettings } from './options.js'
import { defaultLockTimeoutMs } from './programs.js'
import { quoteConnectionValue } from './quoting.js'
import { readRendering } from './rendering.js'
import { checkPatterns, type Selection, selectionArguments } from './selection.js'
import type { Session } from './session.js'
import type { Tool } from './tools.js'

/** What is known of the source before anything is started. */
export interface DumpSource {
  readonly serverVersion: string
  readonly serverMajor: number
  readonly endpoint: Endpoint
  readonly sizeBytes: number
  /** Whether the role may read the passwords of roles. */
  readonly seesPasswords: boolean
  readonly properties: Readonly<Record<string, unknown>> | undefined
  /** The settings under which values were written as text, by name. */
  readonly rendering: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

/** One program whose output becomes a part. */
export interface PlannedPart {
  readonly tool: Tool
  readonly args: readonly string[]
  readonly part: Omit<DumpPart, 'take'>
}

/** Asks the source what a dump of it needs to know, and checks that the patterns match something. */
export async function readDumpSource(
  session: Session,
  connection: Connection,
  selection: Selection,
  request: DumpRequest,
): Promise<DumpSource> {
  const [row] = await session.query<{ version: string; size: number; passwords: boolean; standby: boolean }>(
    `select current_setting('server_version') as version, pg_database_size(current_database())::float8 as size,
            has_table_privilege('pg_authid', 'select') as passwords, pg_is_in_recovery() as standby`,
  )
  const properties = await readProperties(session, connection.database)
  const settings = (properties?.settings ?? []).filter(({ name }) => !isCustom(name))
  return {
    serverVersion: row?.version ?? '',
    serverMajor: Math.floor(session.versionNumber / 10_000),
    endpoint: session.endpoint,
    sizeBytes: row?.size ?? 0,
    seesPasswords: row?.passwords ?? false,
    properties: properties ? { ...properties, settings } : undefined,
    rendering: await readRendering(session),
    warnings: [
      ...(properties?.settings ?? [])
        .filter(({ name }) => isCustom(name))
        .map(
          ({ name }) =>
            `The setting ${name} of the database is not recorded: it is the application's own, and may be secret`,
        ),
      ...(await checkPatterns(selection, session)),
      ...(await leftOut(selection, { sections: request.sections, isStandby: row?.standby === true }, session)),
    ],
  }
}

/** Settings of applications have a dot in their names. Some hold keys, and a manifest is not encrypted. */
const isCustom = (name: string): boolean => name.includes('.')

/** What decides on the arguments of pg_dump. */
export interface DumpPlan {
  readonly format: 'custom' | 'plain'
  readonly request: DumpRequest
  readonly settings: PostgresSettings
  /** As it was asked for. */
  readonly selection: Selection
  /** As `pg_dump` has to be told. */
  readonly patterns: Selection
  readonly source: DumpSource
  /** Of the snapshot to dump, as exported by another session. */
  readonly snapshotId: string | undefined
}

/** The part that pg_dump writes. */
export function mainPart(
  tool: Tool,
  { format, request, settings, patterns, source, snapshotId }: DumpPlan,
): PlannedPart {
  const flags: readonly (readonly [wanted: boolean | undefined, flag: string])[] = [
    [request.sections === 'schema', '--schema-only'],
    [request.sections === 'data', '--data-only'],
    [settings.noOwner, '--no-owner'],
    [settings.noPrivileges, '--no-privileges'],
    [settings.largeObjects === true, '--blobs'],
    [settings.largeObjects === false, '--no-blobs'],
    [format === 'plain' && settings.clean, '--clean'],
    [format === 'plain' && settings.clean && settings.ifExists, '--if-exists'],
    [format === 'plain' && settings.create, '--create'],
  ]
  const args = [
    ...(format === 'custom' ? ['--format=custom', '--compress=0'] : ['--format=plain']),
    '--no-password',
    `--lock-wait-timeout=${Math.ceil(settings.lockTimeout ?? defaultLockTimeoutMs)}`,
    ...flags.flatMap(([wanted, flag]) => (wanted ? [flag] : [])),
    ...selectionArguments(patterns),
    ...(snapshotId === undefined ? [] : [`--snapshot=${snapshotId}`]),
  ]
  const expectedBytes = request.sections === 'schema' ? {} : { expectedBytes: source.sizeBytes }
  const part: PlannedPart['part'] =
    format === 'custom'
      ? { name: 'dump', mediaType: 'application/vnd.postgresql.custom-dump', ...expectedBytes }
      : { name: 'sql', mediaType: 'application/sql', trailer: '-- PostgreSQL database dump complete', ...expectedBytes }
  return { tool, args, part }
}

/** The part that pg_dumpall writes: roles and tablespaces. */
export function globalsPart(tool: Tool, connection: Connection, { seesPasswords }: DumpSource): PlannedPart {
  const args = [
    '--globals-only',
    '--no-password',
    // pg_dumpall takes no database from PGDATABASE; as a connection string, a name cannot pose as one.
    `--database=dbname=${quoteConnectionValue(connection.database)}`,
    ...(seesPasswords ? [] : ['--no-role-passwords']),
  ]
  const trailer = '-- PostgreSQL database cluster dump complete'
  return { tool, args, part: { name: 'globals.sql', mediaType: 'application/sql', trailer } }
}

/** @throws {BackupError} `config-invalid` for a format of some other engine. */
export function formatOf(request: DumpRequest, settings: PostgresSettings): 'custom' | 'plain' {
  const format = request.format ?? settings.format ?? 'custom'
  if (format === 'custom' || format === 'plain') return format
  throw new BackupError('config-invalid', {
    message: `The dump format ${JSON.stringify(format)} is not known to the PostgreSQL driver`,
    hint: 'Choose custom or plain.',
  })
}

/** The options in force, for the manifest. */
function reportedOptions({ format, request, settings, selection, source }: DumpPlan): Record<string, unknown> {
  const options = {
    format,
    sections: request.sections ?? 'all',
    ...Object.fromEntries(Object.entries(selection).filter(([, patterns]) => patterns.length > 0)),
    noOwner: settings.noOwner,
    noPrivileges: settings.noPrivileges,
    largeObjects: settings.largeObjects,
    ...(format === 'plain' ? { clean: settings.clean, ifExists: settings.ifExists, create: settings.create } : {}),
    database: source.properties,
    databaseBytes: source.sizeBytes,
    rendering: source.rendering,
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** What to say of a dump for the manifest. */
export function reportOf(plan: DumpPlan, planned: readonly PlannedPart[], warnings: readonly string[]): DumpReport {
  const { source, format } = plan
  return {
    serverVersion: source.serverVersion,
    tools: Object.fromEntries(planned.map(({ tool }) => [tool.name, tool.version])),
    warnings: [...source.warnings, ...warnings],
    options: reportedOptions(plan),
    recover:
      format === 'custom'
        ? 'pg_restore --exit-on-error --dbname=TARGET'
        : 'psql -X -v ON_ERROR_STOP=1 --single-transaction --dbname=TARGET',
  }
}

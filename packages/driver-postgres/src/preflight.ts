import { BackupError, type PreflightRequest } from '@holdfast/core'
import type { ArchiveEntry } from './archive.js'
import type { DatabaseProperties } from './database-properties.js'
import { rolesNamed } from './dump-roles.js'
import { needsPsql } from './needs-psql.js'
import { objectsOfPlain } from './plain-objects.js'
import { collectProblems } from './problems.js'
import { rolesOf } from './property-statements.js'
import { requirePsql } from './psql.js'
import { quoteIdentifier } from './quoting.js'
import type { RestoreJob, TargetServer } from './restore-job.js'
import type { Session } from './session.js'
import { allowConnections, majorVersion } from './target.js'
import { chooseTool } from './tools.js'

/** What the preflight found out. */
export interface Preflight {
  /** What keeps the restore from working. */
  readonly problems: Awaited<ReturnType<typeof collectProblems>>
  readonly server: TargetServer
  /** Whether the dump names tablespaces that the server lacks: all goes to the default one then. */
  readonly noTablespaces: boolean
  /** The objects of the dump, by kind; of a plain dump those before its data. */
  readonly objects: readonly Pick<ArchiveEntry, 'kind'>[]
  /** Whether the role may give the database to the owner that the backup names. */
  readonly maySetOwner: boolean
  /** Whether psql is needed, and was looked for. */
  readonly takesPsql: boolean
}

/** What a dump asks of the server that it is restored to. */
interface Needs {
  readonly extensions: readonly string[]
  readonly roles: readonly string[]
  readonly tablespaces: readonly string[]
  readonly objects: readonly Pick<ArchiveEntry, 'kind'>[]
}

/**
 * Names what the dump needs and the server or this machine lacks, before anything is touched.
 *
 * @param properties - Those that a database made by the restore will get.
 */
export async function preflight(
  job: RestoreJob,
  session: Session,
  properties: DatabaseProperties | undefined,
): Promise<Preflight> {
  const needs = await needsOf(job, properties)
  const release = { major: majorVersion(session), versionNumber: session.versionNumber }
  const takesPsql = needsPsql(job, release)
  const problems = await collectProblems([
    () => requireAll(session, 'extensions', needs.extensions),
    async () => {
      if (!job.request.globals) await requireAll(session, 'roles', needs.roles)
    },
    () => requireArchiver(job, release.major),
    async () => {
      if (takesPsql) await requirePsql(release.major, job.settings.binDir)
    },
  ])
  const superuser = await isSuperuser(session)
  const tablespaces = await missingOf(session, needs.tablespaces, 'select spcname::text as name from pg_tablespace')
  const maySetOwner = await mayGiveTo(session, properties?.owner)
  const lostOwner = maySetOwner || job.request.noOwner ? undefined : properties?.owner
  job.warnings.push(...warningsOf({ superuser, tablespaces, lostOwner }))
  return {
    problems,
    maySetOwner,
    takesPsql,
    server: { endpoint: session.endpoint, ...release, superuser },
    noTablespaces: tablespaces.length > 0,
    objects: needs.objects,
  }
}

async function isSuperuser(session: Session): Promise<boolean> {
  const [row] = await session.query<{ superuser: boolean }>(
    'select rolsuper as superuser from pg_roles where rolname = current_user',
  )
  return row?.superuser ?? false
}

/** What does not keep the restore from working, and has to be known. */
function warningsOf({
  superuser,
  tablespaces,
  lostOwner,
}: {
  readonly superuser: boolean
  /** Those that the server lacks. */
  readonly tablespaces: readonly string[]
  /** To whom the database cannot be given. */
  readonly lostOwner: string | undefined
}): readonly string[] {
  return [
    ...(superuser
      ? ['The restore runs as a superuser: whatever code the dump holds may do anything on the server']
      : []),
    ...(tablespaces.length > 0
      ? [`The server has no tablespace ${tablespaces.join(', ')}: everything goes to the default one`]
      : []),
    ...(lostOwner === undefined
      ? []
      : [`The database will belong to the role of the restore, which is no member of its owner ${lostOwner}`]),
  ]
}

async function needsOf(job: RestoreJob, properties: DatabaseProperties | undefined): Promise<Needs> {
  const { request, head } = job
  const leave = { noOwner: request.noOwner ?? false, noPrivileges: request.noPrivileges ?? false }
  const roles = properties ? rolesOf(properties, leave) : []
  const isDataOnly = request.sections === 'data'
  if (!head) {
    const named = await objectsOfPlain(job.from.open(job.dump.part.name, job.ctx), 'head')
    const owners = named.flatMap(({ owner }) => (owner ? [owner] : []))
    const extensions = named.filter(({ kind }) => kind === 'EXTENSION').map(({ tag }) => tag)
    return { extensions, roles: [...roles, ...(leave.noOwner ? [] : owners)], tablespaces: [], objects: named }
  }
  const objects = head.entries
  if (isDataOnly) return { extensions: [], roles, tablespaces: [], objects }
  return {
    extensions: head.entries.filter(({ kind }) => kind === 'EXTENSION').map(({ tag }) => tag),
    roles: [...roles, ...rolesNamed(head.entries, leave)],
    tablespaces: head.entries.flatMap(({ tablespace }) => (tablespace ? [tablespace] : [])),
    objects,
  }
}

/** Whether a database may be given to a role. One that the server lacks comes with the globals, made by this role. */
export async function mayGiveTo(session: Session, owner: string | undefined): Promise<boolean> {
  if (owner === undefined) return true
  const [row] = await session.query<{ may: boolean }>(
    `select pg_has_role(current_user, oid, '${session.versionNumber >= 160_000 ? 'SET' : 'MEMBER'}') as may
       from pg_roles where rolname = $1`,
    [owner],
  )
  return row?.may ?? true
}

/**
 * A database that lets nobody connect can be replaced, but not restored into.
 *
 * @returns Warnings.
 * @throws {BackupError} `restore-refused` when the restore would have to connect to it.
 */
export async function checkConnectable(
  session: Session,
  database: string,
  mode: PreflightRequest['mode'],
): Promise<readonly string[]> {
  const [row] = await session.query<{ open: boolean }>(
    'select datallowconn as open from pg_database where datname = $1',
    [database],
  )
  if (row?.open !== false) return []
  const message = `The database ${quoteIdentifier(database)} lets nobody connect`
  const hint = `Run in another database of the server: ${allowConnections(database)};`
  if (mode !== 'staged') throw new BackupError('restore-refused', { message, hint })
  return [`${message}. ${hint}`]
}

/** @throws {BackupError} `tool-missing`, `tool-too-old`. */
async function requireArchiver({ dump, dumpMajor, settings }: RestoreJob, serverMajor: number): Promise<void> {
  if (dump.format === 'plain') return
  const needs = `a dump of PostgreSQL ${dumpMajor} for a PostgreSQL ${serverMajor} server`
  await chooseTool('pg_restore', Math.max(dumpMajor, serverMajor), settings.binDir, needs)
}

/** What dumps take for granted: how a server tells of what it has, and what to say of the rest. */
const prerequisites = {
  extensions: {
    present: 'select name::text from pg_available_extensions',
    missing: 'The dump needs extensions that the server does not have',
    hint: 'Install them on the server (postgresql-contrib, or their own packages), then restore again.',
  },
  roles: {
    present: 'select rolname::text as name from pg_roles',
    missing: 'The dump names roles that the server does not have',
    hint: 'Make them (CREATE ROLE), restore the globals of the backup as well, or restore with noOwner and noPrivileges (--no-owner, --no-privileges).',
  },
} as const

async function requireAll(
  session: Session,
  kind: keyof typeof prerequisites,
  wanted: readonly string[],
): Promise<void> {
  const { present, missing, hint } = prerequisites[kind]
  const names = await missingOf(session, wanted, present)
  if (names.length === 0) return
  throw new BackupError('restore-refused', { message: `${missing}: ${names.join(', ')}`, hint })
}

/** @param present - The statement that lists what the server has. */
async function missingOf(session: Session, wanted: readonly string[], present: string): Promise<readonly string[]> {
  if (wanted.length === 0) return []
  const rows = await session.query<{ name: string }>(present)
  const there = new Set(rows.map(({ name }) => name))
  return [...new Set(wanted)].filter((name) => !there.has(name)).sort()
}

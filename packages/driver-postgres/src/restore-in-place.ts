import { readFromChild, startChild } from '@holdfast/core'
import { selectMissing } from './append-selection.js'
import { type ArchiveEntry, readArchiveHead } from './archive.js'
import { type Connection, displayOf } from './connection.js'
import { objectKey } from './entry-kinds.js'
import { fill } from './fill.js'
import { locksNeeded, requireLockRoom } from './lock-room.js'
import { watchLocks } from './lock-watch.js'
import { inheritedConstraints } from './needs-psql.js'
import type { Preflight } from './preflight.js'
import { prepareProgram } from './programs.js'
import { requirePsql } from './psql.js'
import type { BoundDatabase, RestoreJob } from './restore-job.js'
import {
  existingSequences,
  moveAhead,
  type SequenceSetting,
  sequenceKey,
  sequenceSetting,
  withoutSettings,
} from './sequences.js'
import { type Session, withSession } from './session.js'
import { shielded } from './shielded.js'
import { selectTables } from './table-selection.js'
import { endOthers } from './target.js'
import { chooseTool } from './tools.js'

/**
 * Modes `clean` and `append`: into a database that holds something, all in one transaction.
 *
 * @param session - In the maintenance database.
 * @param before - What is done first, once nothing is known that speaks against the restore.
 * @throws {BackupError} `target-in-use` when others hold locks for too long.
 */
export async function restoreInPlace(
  bound: BoundDatabase,
  job: RestoreJob,
  found: Preflight,
  session: Session,
  before: () => Promise<void>,
): Promise<void> {
  const { settings } = bound
  const { terminateConnections = false } = job.request
  const pinned: Connection = { ...bound.connection, endpoints: [found.server.endpoint] }
  const first = async (): Promise<void> => {
    if (terminateConnections) await endOthers(session, pinned.database)
    await before()
  }
  await watchLocks({ connection: pinned, settings, terminateConnections }, job.ctx, async (connection, ctx) => {
    await fillInPlace({ ...bound, connection }, { ...job, ctx }, found, first)
  })
}

async function fillInPlace(
  bound: BoundDatabase,
  job: RestoreJob,
  found: Preflight,
  before: () => Promise<void>,
): Promise<void> {
  const { connection } = bound
  const { ctx } = job
  const drops = job.request.mode === 'clean'
  const roomFor = (objects: readonly Pick<ArchiveEntry, 'kind'>[]): Promise<void> =>
    withSession(connection, ctx, (session) => requireLockRoom(session, locksNeeded(objects, drops)))
  if (!job.request.tables) await roomFor(found.objects)
  const entries = job.head ? await entriesToRestore(bound, job, found) : undefined
  if (job.request.tables) await roomFor(entries ?? [])
  if ((job.request.jobs ?? 1) > 1) {
    job.warnings.push('Restored with one connection: several cannot share the transaction of a restore in place')
  }
  const { existing, inherited } = await withSession(connection, ctx, async (session) => {
    return {
      existing: await existingSequences(session),
      inherited: drops ? await inheritedConstraints(session) : new Set<string>(),
    }
  })
  if (inherited.size > 0) await requirePsql(found.server.major, bound.settings.binDir)
  const held = entries && withoutSettings(entries, existing, drops)
  const settings: SequenceSetting[] = job.request.sections === 'schema' ? [] : [...(held?.settings ?? [])]
  await before()
  await fill({
    job,
    connection,
    target: found.server,
    singleTransaction: true,
    clean: drops,
    inherited,
    ...(held ? { entries: held.entries } : {}),
    ...(drops || held ? {} : { omit: (sql) => holdBack(sql, existing, settings) }),
    jobs: 1,
    noTablespaces: found.noTablespaces,
  })
  // After the commit, for no transaction covers sequences: one that fails must not move those of a live database.
  if (settings.length === 0) return
  const notSet = await withSession(connection, shielded(ctx), (session) => moveAhead(session, settings))
  job.warnings.push(...notSet)
}

/** Whether a statement of a plain dump sets a sequence that is there; then it is noted. */
function holdBack(sql: string, existing: ReadonlySet<string>, settings: SequenceSetting[]): boolean {
  const setting = sequenceSetting(sql)
  if (!setting || !existing.has(sequenceKey(setting.schema, setting.name))) return false
  settings.push(setting)
  return true
}

/** In the order of the archive. */
async function entriesToRestore(
  bound: BoundDatabase,
  job: RestoreJob,
  found: Preflight,
): Promise<readonly ArchiveEntry[]> {
  const all = job.head?.entries ?? []
  const { mode, tables, sections } = job.request
  if (mode === 'clean' && !tables) return all
  const existing = sections === 'data' && !tables ? new Set<string>() : await objectsOf(bound, job, found)
  if (!tables) return sections === 'data' ? all : selectMissing(all, existing)
  const { owned, needed, warnings } = selectTables(all, tables, existing)
  job.warnings.push(...warnings)
  // What the chosen tables share with others is made where it is missing, and never dropped.
  const shared = new Set(selectMissing(needed, existing))
  const own = new Set(mode === 'clean' ? owned : selectMissing(owned, existing))
  return all.filter((entry) => own.has(entry) || shared.has(entry))
}

/** What the target holds, in the words of pg_dump: the keys of a dump of its schema. */
async function objectsOf(bound: BoundDatabase, job: RestoreJob, { server }: Preflight): Promise<ReadonlySet<string>> {
  const { connection, settings } = bound
  const needs = `a PostgreSQL ${server.major} server (${displayOf(connection)})`
  const tool = await chooseTool('pg_dump', server.major, settings.binDir, needs)
  const args = ['--format=custom', '--compress=0', '--schema-only', '--no-password']
  await using program = await prepareProgram(
    { tool, args, failure: 'restore-failed', connection, endpoint: server.endpoint },
    settings,
    job.ctx,
  )
  const child = startChild(program.spec, { stdin: 'ignore', stdout: 'pipe' }, job.ctx)
  const { entries } = await readArchiveHead(readFromChild(child))
  return new Set(entries.map(objectKey))
}

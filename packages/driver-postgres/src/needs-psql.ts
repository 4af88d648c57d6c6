import { hasStrangeColumnVersions } from './column-versions.js'
import type { RestoreJob, TargetServer } from './restore-job.js'
import { constraintKey } from './script-rules.js'
import type { Session } from './session.js'

type Release = Pick<TargetServer, 'major' | 'versionNumber'>

/** Whether an archive goes to the server through a filter: it holds settings or versions of columns that this one does not know. */
export function needsFilter({ head, dumpMajor }: Pick<RestoreJob, 'head' | 'dumpMajor'>, server: Release): boolean {
  return head !== undefined && (server.major < dumpMajor || hasStrangeColumnVersions(head, server))
}

/** Whether a restore takes psql, by all that is known without a look into the database. See {@link inheritedConstraints}. */
export function needsPsql(job: RestoreJob, server: Release): boolean {
  const hasGlobals = job.from.parts.some(({ name }) => name === 'globals.sql')
  return job.dump.format === 'plain' || needsFilter(job, server) || (job.request.globals === true && hasGlobals)
}

/**
 * Keys of the constraints that partitions of a database inherit: no archive that drops them can be restored without a
 * filter.
 */
export async function inheritedConstraints(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.query<{ schema: string; name: string; constraint: string }>(
    `select n.nspname::text as schema, c.relname::text as name, o.conname::text as constraint
       from pg_constraint o join pg_class c on c.oid = o.conrelid join pg_namespace n on n.oid = c.relnamespace
      where o.conparentid <> 0`,
  )
  return new Set(rows.map(({ schema, name, constraint }) => constraintKey(schema, name, constraint)))
}

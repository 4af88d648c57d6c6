import { requireTrailer } from '@holdfast/core'
import { type Connection, toDatabase } from './connection.js'
import { runPsql } from './psql.js'
import type { RestoreJob, TargetServer } from './restore-job.js'
import { filterScript, type ScriptFilter } from './script-filter.js'
import { refuseCommand } from './script-rules.js'
import type { Session } from './session.js'
import { nameOf, tokensOf } from './tokens.js'

/**
 * Makes the roles of a backup's globals that the server lacks, in one transaction. Roles that exist stay as they are,
 * with their passwords; tablespaces are named in a warning, for they need directories.
 *
 * @param session - In the maintenance database, where the script runs too.
 */
export async function restoreGlobals(
  job: RestoreJob,
  connection: Connection,
  session: Session,
  server: TargetServer,
): Promise<void> {
  const part = job.from.parts.find(({ name }) => name === 'globals.sql')
  if (!part) {
    job.warnings.push('The backup holds no globals: roles and tablespaces were not part of the dump')
    return
  }
  const rows = await session.query<{ name: string; database: string }>(
    'select rolname::text as name, current_database()::text as database from pg_roles',
  )
  const stream = job.from.open(part.name, job.ctx)
  const script = part.trailer ? requireTrailer(stream, part.trailer) : stream
  const filter = globalsFilter(new Set(rows.map(({ name }) => name)), job.warnings)
  const database = toDatabase(connection, rows[0]?.database ?? connection.database)
  await runPsql(job, { connection: database, server, singleTransaction: true }, filterScript(script, filter))
}

/** Passes what concerns roles that do not exist yet. */
function globalsFilter(existing: ReadonlySet<string>, warnings: string[]): ScriptFilter {
  return {
    command: refuseCommand,
    statement(sql) {
      const [verb = '', kind = '', name = ''] = tokensOf(sql)
      const [what, subject] = [`${verb} ${kind}`.toUpperCase(), nameOf(name)]
      if (what.endsWith(' TABLESPACE')) {
        if (what === 'CREATE TABLESPACE') warnings.push(`The tablespace ${subject} was not made: it needs a directory`)
        return false
      }
      return !(/^(CREATE|ALTER|COMMENT) (ROLE|ON)$/.test(what) && existing.has(subjectOf(sql)))
    },
  }
}

/** The role of `CREATE ROLE r`, `ALTER ROLE r …`, `COMMENT ON ROLE r …`. */
function subjectOf(sql: string): string {
  const tokens = tokensOf(sql)
  return nameOf(tokens[tokens.findIndex((token) => token.toUpperCase() === 'ROLE') + 1] ?? '')
}

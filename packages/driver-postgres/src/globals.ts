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
 * with their passwords, memberships and rights; tablespaces are named in a warning, for they need directories.
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
  const stream = job.from.open(part.name, job.ctx)
  const script = part.trailer ? requireTrailer(stream, part.trailer) : stream
  const { database, present } = await readPresent(session)
  const filter = globalsFilter(present, job.warnings)
  const target = {
    connection: toDatabase(connection, database ?? connection.database),
    server,
    singleTransaction: true,
  }
  await runPsql(job, target, filterScript(script, filter))
}

/** What the server has already. */
interface Present {
  readonly roles: ReadonlySet<string>
  /** See {@link membership}. */
  readonly memberships: ReadonlySet<string>
}

async function readPresent(session: Session): Promise<{ readonly database?: string; readonly present: Present }> {
  const roles = await session.query<{ name: string; database: string }>(
    'select rolname::text as name, current_database()::text as database from pg_roles',
  )
  const members = await session.query<{ role: string; member: string }>(
    `select r.rolname::text as role, m.rolname::text as member
       from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member`,
  )
  return {
    ...(roles[0] && { database: roles[0].database }),
    present: {
      roles: new Set(roles.map(({ name }) => name)),
      memberships: new Set(members.map(({ role, member }) => membership(role, member))),
    },
  }
}

const membership = (role: string, member: string): string => JSON.stringify([role, member])

/** Passes what concerns roles that do not exist yet. */
function globalsFilter(present: Present, warnings: string[]): ScriptFilter {
  return {
    command: refuseCommand,
    statement(sql) {
      const tokens = tokensOf(sql)
      const words = tokens.map((token) => token.toUpperCase()) // what is quoted is no keyword
      const [verb = '', kind] = words
      const after = (word: string): string => tokens[words.indexOf(word) + 1] ?? ''
      if (kind === 'TABLESPACE' || after('ON').toUpperCase() === 'TABLESPACE') {
        const name = nameOf(after('TABLESPACE'))
        if (verb === 'CREATE') warnings.push(`The tablespace ${name} was not made: it needs a directory`)
        return false
      }
      if (/^(GRANT|REVOKE)$/.test(verb)) return passesGrant(sql, tokens, present, warnings)
      return !(/^(CREATE|ALTER|COMMENT|SECURITY)$/.test(verb) && present.roles.has(nameOf(after('ROLE'))))
    },
  }
}

/** Of `GRANT role TO member …;`, and of `GRANT SET ON PARAMETER p TO role …;`: whether it is for roles that are new. */
function passesGrant(sql: string, tokens: readonly string[], present: Present, warnings: string[]): boolean {
  const to = tokens.findIndex((token) => /^(TO|FROM)$/i.test(token))
  const end = tokens.findIndex((token, index) => index > to && /^(WITH|GRANTED|CASCADE|RESTRICT|;)$/i.test(token))
  const grantees = tokens.slice(to + 1, end).filter((token) => token !== ',')
  const isNew = (token: string): boolean => !/^PUBLIC$/i.test(token) && !present.roles.has(nameOf(token))
  if (grantees.every(isNew)) return true
  const [role = ''] = tokens.slice(1)
  const isThere = grantees.every((token) => present.memberships.has(membership(nameOf(role), nameOf(token))))
  if (!isThere) warnings.push(`Not carried over, for roles that exist stay as they are: ${sql}`)
  return false
}

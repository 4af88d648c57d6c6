import { isBackupError, messageOf, type RunContext } from '@holdfast/core'
import type { Definition } from './definitions.js'
import { quoteIdentifier, quoteQualified } from './quoting.js'
import type { Session } from './session.js'
import { warn } from './warn.js'

/** What somebody may do with a procedure or function; unlike rights on tables, the server forgets it when that is dropped. */
export interface RoutineGrant {
  readonly kind: string
  readonly name: string
  readonly user: string
  /** Empty for a role. */
  readonly host: string
  readonly rights: readonly string[]
  readonly grantable: boolean
}

/** Rights that a server knows on routines, in the words of its tables. */
const known: ReadonlySet<string> = new Set(['execute', 'alter routine'])

/** What is known of the rights on routines that are about to be dropped. */
export interface FoundGrants {
  readonly grants: readonly RoutineGrant[]
  readonly warnings: readonly string[]
}

/** Reads the rights on those of the definitions that are routines. */
export async function readRoutineGrants(
  session: Session,
  database: string,
  dropped: readonly Pick<Definition, 'kind' | 'name'>[],
): Promise<FoundGrants> {
  const routines = dropped.filter(({ kind }) => kind !== 'view' && kind !== 'trigger' && kind !== 'event')
  if (routines.length === 0) return { grants: [], warnings: [] }
  try {
    const rows = await session.query<{ kind: string; name: string; user: string; host: string; rights: string }>(
      `select lower(routine_type) as kind, routine_name as name, user as user, host as host, lower(proc_priv) as rights
         from mysql.procs_priv where binary db = binary ? order by 1, 2, 3, 4`,
      [database],
    )
    const names = new Set(routines.map(({ kind, name }) => JSON.stringify([kind, name.toLowerCase()])))
    const grants = rows.filter(({ kind, name }) => names.has(JSON.stringify([kind, name.toLowerCase()]))).map(toGrant)
    return { grants, warnings: [] }
  } catch (error) {
    if (!isBackupError(error, 'source-denied')) throw error
    const message = `Rights that accounts had on single procedures and functions of ${quoteIdentifier(database)} are not known, for that takes SELECT on mysql.procs_priv: where there were any, grant them again`
    return { grants: [], warnings: [message] }
  }
}

function toGrant({
  rights,
  ...row
}: {
  kind: string
  name: string
  user: string
  host: string
  rights: string
}): RoutineGrant {
  const all = rights.split(',')
  return { ...row, rights: all.filter((right) => known.has(right)), grantable: all.includes('grant') }
}

/** Gives the rights again, once the routines are made. What cannot be given is told; one without its routine is not. */
export async function grantRoutines(
  session: Session,
  database: string,
  grants: readonly RoutineGrant[],
  ctx: RunContext,
): Promise<void> {
  for (const grant of grants) {
    if (!(await hasRoutine(session, database, grant))) continue
    const sql = statementOf(database, grant)
    await session.query(sql).catch((error) => {
      if (isBackupError(error, 'source-unreachable')) throw error
      warn(`Not granted again: ${sql} (${messageOf(error)})`, ctx)
    })
  }
}

function statementOf(database: string, { kind, name, user, host, rights, grantable }: RoutineGrant): string {
  const named = user === '' ? "''" : quoteIdentifier(user)
  const account = host === '' ? named : `${named}@${quoteIdentifier(host)}`
  const to = `on ${kind} ${quoteQualified(database, name)} to ${account}`
  return `grant ${rights.join(', ') || 'usage'} ${to}${grantable ? ' with grant option' : ''}`
}

async function hasRoutine(session: Session, database: string, { kind, name }: RoutineGrant): Promise<boolean> {
  const rows = await session.query(
    `select 1 as found from information_schema.routines
      where binary routine_schema = binary ? and routine_name = ? and lower(routine_type) = ?`,
    [database, name, kind],
  )
  return rows.length > 0
}

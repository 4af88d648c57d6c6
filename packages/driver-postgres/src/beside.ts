import { type AsideKind, asideName, asidePrefix, readAsideName } from '@holdfast/core'
import { readMark } from './aside-mark.js'
import type { Session } from './session.js'

/** Most bytes of a name in PostgreSQL. */
const maxNameBytes = 63

/** A database that a restore left beside another one. */
export interface DatabaseBeside {
  readonly name: string
  readonly kind: AsideKind
  readonly since: Date
  /** 0 where the role may not ask. */
  readonly sizeBytes: number
  /** Whether somebody is connected to it. */
  readonly inUse: boolean
  /**
   * Whether its comment says that it belongs to this one; without that it may be anybody's. Of a `replaced` one, whose
   * content may take the name again, also whether it has an owner who can be believed.
   */
  readonly isOurs: boolean
  /** Its comment before it was replaced. */
  readonly comment?: string | undefined
  /** Until when it is meant to be kept, where that was noted. */
  readonly keepUntil?: Date
}

/**
 * Whoever may make databases can make one that looks like what a restore has put aside, and wait for a superuser to take
 * it back. What was put aside keeps its owner, who owns the new one too. Where there is none of the name ($2), it is
 * anybody's to take.
 */
const hasTrustedOwner = `(not exists (select from pg_database where datname = $2)
  or datdba in (select datdba from pg_database where datname = $2
                union all select oid from pg_roles where rolsuper or rolname = current_user))`

/** Databases whose names are made of this one's and a time, newest first; those of others are among them. */
export async function databasesBeside(session: Session, database: string): Promise<readonly DatabaseBeside[]> {
  const prefixes = (['replaced', 'unfinished'] as const).map((kind) => asidePrefix(database, kind, maxNameBytes))
  const rows = await session.query<{
    name: string
    size: number
    used: boolean
    comment: string | null
    trusted: boolean
  }>(
    `select datname::text as name,
            case when has_database_privilege(oid, 'CONNECT') or pg_has_role('pg_read_all_stats', 'USAGE')
                 then pg_database_size(oid) else 0 end::float8 as size,
            exists (select from pg_stat_activity a where a.datid = d.oid) as used,
            shobj_description(oid, 'pg_database') as comment,
            ${hasTrustedOwner} as trusted
       from pg_database d
      where exists (select from unnest($1::text[]) prefix where left(datname::text, length(prefix)) = prefix)`,
    [prefixes, database],
  )
  const found = rows.flatMap(({ name, size, used, comment, trusted }): DatabaseBeside[] => {
    const read = readAsideName(name, database, maxNameBytes)
    if (!read) return []
    const mark = readMark(comment)
    const isOurs = mark?.beside === database && (trusted || read.kind !== 'replaced')
    const noted = isOurs && { comment: mark.comment, ...(mark.keepUntil && { keepUntil: mark.keepUntil }) }
    return [{ name, ...read, sizeBytes: size, inUse: used, isOurs, ...noted }]
  })
  return found.sort((a, b) => b.since.getTime() - a.since.getTime())
}

/** A name beside a database that no other one has. */
export async function freeName(session: Session, database: string, kind: AsideKind, at: Date): Promise<string> {
  const rows = await session.query<{ name: string }>('select datname::text as name from pg_database')
  const taken = new Set(rows.map(({ name }) => name))
  return asideName(database, kind, at, maxNameBytes, (name) => taken.has(name))
}

/** How long what was replaced may stand there before a restore speaks of it, where no time was noted. */
const dayMs = 86_400_000

/** A warning for each database beside this one that nobody needs any more, as far as can be known. */
export async function leftovers(session: Session, database: string, now: Date): Promise<readonly string[]> {
  const beside = await databasesBeside(session, database)
  return beside.flatMap(({ name, kind, since, inUse, isOurs, keepUntil = new Date(since.getTime() + dayMs) }) => {
    if (inUse || !isOurs) return []
    if (kind === 'unfinished')
      return [`A restore left the unfinished database ${name} behind; restore cleanup drops it`]
    if (now < keepUntil) return []
    const day = since.toISOString().slice(0, 10)
    return [`The database ${name} was replaced on ${day} and is still there; restore cleanup drops it`]
  })
}

import type { RunContext } from '@holdfast/core'
import type { Connection } from './connection.js'
import { withSession } from './session.js'
import type { Subject } from './statement-subject.js'

/** Views, triggers, routines and events of a dump that become the restoring user's own. */
export interface Adopted {
  /** To be told of each definition of the dump; a view is defined twice, and the last one counts. */
  note(subject: Pick<Subject, 'kind' | 'name'>, isAdopted: boolean): void
  readonly all: readonly Pick<Subject, 'kind' | 'name'>[]
}

/** Collects them. */
export function collectAdopted(): Adopted {
  const found = new Map<string, Pick<Subject, 'kind' | 'name'>>()
  return {
    note({ kind, name }, isAdopted) {
      const key = JSON.stringify([kind, name])
      if (isAdopted) found.set(key, { kind, name })
      else found.delete(key)
    },
    get all() {
      return [...found.values()]
    },
  }
}

/**
 * Says, once and with counts, which of them run with the rights of the user who restored them, whoever uses them: what
 * the author of the dump wrote, that user does.
 */
export async function adoptedWarnings(
  connection: Connection,
  { all }: Adopted,
  ctx: RunContext,
): Promise<readonly string[]> {
  if (all.length === 0) return []
  return await withSession(connection, ctx, async (session) => {
    // SQL SECURITY INVOKER: with the rights of whoever uses it, as it should be.
    const harmless = await session.query<{ kind: string; name: string }>(
      `select lower(routine_type) as kind, routine_name as name from information_schema.routines
        where binary routine_schema = binary ? and security_type = 'INVOKER'
       union all select 'view', table_name from information_schema.views
        where binary table_schema = binary ? and security_type = 'INVOKER'`,
      [connection.database, connection.database],
    )
    const keys = new Set(harmless.map(({ kind, name }) => JSON.stringify([kind, name])))
    const left = all.filter(({ kind, name }) => !keys.has(JSON.stringify([kind, name])))
    if (left.length === 0) return []
    const [row] = await session.query<{ user: string }>('select current_user() as user')
    return [
      `${countsOf(left)} of the dump came without a definer, or lost it: from now on they run with the rights of ${row?.user}, whoever uses them. Look at what they do, unless you trust the dump`,
    ]
  })
}

function countsOf(subjects: readonly Pick<Subject, 'kind'>[]): string {
  const counts = new Map<string, number>()
  for (const { kind } of subjects) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].map(([kind, count]) => (count === 1 ? `1 ${kind}` : `${count} ${pluralOf(kind)}`)).join(', ')
}

const pluralOf = (kind: string): string => (kind === 'package body' ? 'package bodies' : `${kind}s`)

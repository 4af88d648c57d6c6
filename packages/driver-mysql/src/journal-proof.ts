import { createHash } from 'node:crypto'
import { quoteQualified } from './quoting.js'
import { ownTables } from './schema-objects.js'
import type { Session } from './session.js'

/**
 * Who has written a journal, and how far its exchange has come: a view beside it, `select 'begun <SHA-256 of the plan>'`.
 *
 * Whoever may make a schema with the name of one that a restore makes can put a journal into it, which the next restore
 * would carry out with its own rights. The server says of no table who has written it, but of each view who made it, and
 * lets nobody make, or alter, one in the name of another who has not the right to do anything in that name (`SET USER`,
 * `SET_ANY_DEFINER`, `SUPER`). So a journal is believed only by the user who has written it.
 *
 * What is left to one who may write into such a schema: he can take the journal or its proof away, or spoil them, so
 * that it is not followed, and a restore may be refused until somebody has looked (as anybody can do who takes the lock
 * of {@link lockName}); and he can let an interrupted `append` pass for done. What lies there is his to change anyway.
 */
export interface Proof {
  readonly state: 'begun' | 'done' | 'lost'
  /** Of the plan; see {@link digestOf}. */
  readonly digest: string
  /** The account that the server names, `user@host`. */
  readonly writer: string
  /** Whether that is the user of this session. */
  readonly isOwn: boolean
}

export const digestOf = (plan: Uint8Array): string => createHash('sha256').update(plan).digest('hex')

/** Says in the name of this user that a journal is his, and what is to be done with it. */
export async function prove(session: Session, aside: string, state: Proof['state'], digest: string): Promise<void> {
  const view = quoteQualified(aside, ownTables.proof)
  await session.query(`create or replace view ${view} as select '${state} ${digest}' as proof`)
}

/** Reads it as the server lists it, not by selecting from it: that would run what its maker wants. */
export async function readProof(session: Session, aside: string): Promise<Proof | undefined> {
  const [row] = await session.query<{ writer: string; self: string; definition: string }>(
    `select definer as writer, current_user() as self, view_definition as definition from information_schema.views
      where binary table_schema = binary ? and table_name = ?`,
    [aside, ownTables.proof],
  )
  if (!row) return undefined
  const [, state = 'begun', digest = ''] = /'(begun|done|lost) ([0-9a-f]{64})'/.exec(row.definition) ?? []
  return { state: state as Proof['state'], digest, writer: row.writer, isOwn: row.writer === row.self }
}

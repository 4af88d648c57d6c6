import { isBackupError, type RunContext } from '@holdfast/core'
import type { Connection } from './connection.js'
import { firstOf } from './first-of.js'
import { currentUser } from './grants.js'
import { type Session, withSession } from './session.js'
import { objectKey, type SchemaObject } from './statement-subject.js'

/** The views, triggers, routines and events of a dump, by whom they belong to. */
export interface Definitions {
  /** To be told of each one; a view is defined twice, and the last one counts. */
  note(object: SchemaObject, isAdopted: boolean): void
  /** Those that become the restoring user's own. */
  readonly adopted: readonly SchemaObject[]
  /** Those that keep the definer whom they name. */
  readonly kept: readonly SchemaObject[]
}

/** Collects them. */
export function collectDefinitions(): Definitions {
  const found = new Map<string, { readonly object: SchemaObject; readonly isAdopted: boolean }>()
  const those = (wanted: boolean): readonly SchemaObject[] =>
    [...found.values()].filter(({ isAdopted }) => isAdopted === wanted).map(({ object }) => object)
  return {
    note({ kind, name }, isAdopted) {
      const object = { kind, name }
      found.set(objectKey(object), { object, isAdopted })
    },
    get adopted() {
      return those(true)
    },
    get kept() {
      return those(false)
    },
  }
}

/** Some servers keep names in lower case. */
const listedAs = ({ kind, name }: SchemaObject): string => objectKey({ kind, name: name.toLowerCase() })

/**
 * Says, with counts, which of them run with the rights of somebody who has not written them: of the user who restored
 * them, and, for a dump of which nobody knows who has made it, of the accounts that it names. What the author of the dump
 * wrote, they do. And which of them do not run at all, because the server has no such account.
 *
 * @param isForeign - Of one's own backup, those accounts are as they were.
 */
export async function definerWarnings(
  connection: Connection,
  { adopted, kept }: Definitions,
  { isForeign }: { readonly isForeign: boolean },
  ctx: RunContext,
): Promise<readonly string[]> {
  if (adopted.length + kept.length === 0) return []
  return await withSession(connection, ctx, async (session) => {
    const { user, definers } = await readDefiners(session, connection.database)
    const accounts = await readAccounts(session)
    const definedOf = (one: SchemaObject): string | undefined => definers.get(listedAs(one))
    const withDefiner = (objects: readonly SchemaObject[]): readonly SchemaObject[] =>
      objects.filter((one) => definedOf(one) !== undefined)
    const lost = accounts ? withDefiner(kept).filter((one) => !accounts.has((definedOf(one) ?? '').toLowerCase())) : []
    return [
      ...warningOfOwn(withDefiner(adopted), user),
      ...warningOfNamed(isForeign ? withDefiner(kept) : [], definers),
      ...warningOfLost(lost, definers),
    ]
  })
}

function warningOfOwn(own: readonly SchemaObject[], user: string): readonly string[] {
  if (own.length === 0) return []
  return [
    `${countsOf(own)} of the dump came without a definer, or lost it: from now on they run with the rights of ${user}, whoever uses them. Look at what they do, unless you trust the dump`,
  ]
}

function warningOfNamed(named: readonly SchemaObject[], definers: Definers['definers']): readonly string[] {
  if (named.length === 0) return []
  return [
    `${countsOf(named)} of the dump run from now on with the rights of the accounts that it names as their definers, whoever uses them: ${accountsOf(named, definers)}. Look at what they do, unless you trust the dump; with --no-owner (definer: 'invoker') they become those of the restoring user`,
  ]
}

function warningOfLost(lost: readonly SchemaObject[], definers: Definers['definers']): readonly string[] {
  if (lost.length === 0) return []
  return [
    `${countsOf(lost)} of the dump name definers that this server does not have: ${accountsOf(lost, definers)}. They fail until there are such accounts; with --no-owner (definer: 'invoker') they become those of the restoring user`,
  ]
}

function accountsOf(objects: readonly SchemaObject[], definers: Definers['definers']): string {
  return firstOf([...new Set(objects.map((one) => definers.get(listedAs(one)) ?? ''))].sort())
}

interface Definers {
  /** The user of the session, as the server names definers: `user@host`. */
  readonly user: string
  /** Of all that runs with the rights of its definer; not of what says SQL SECURITY INVOKER. */
  readonly definers: ReadonlyMap<string, string>
}

async function readDefiners(session: Session, database: string): Promise<Definers> {
  const rows = await session.query<{ kind: SchemaObject['kind']; name: string; definer: string }>(
    `select lower(routine_type) as kind, routine_name as name, definer as definer from information_schema.routines
      where binary routine_schema = binary ? and security_type <> 'INVOKER'
     union all select 'view', table_name, definer from information_schema.views
      where binary table_schema = binary ? and security_type <> 'INVOKER'
     union all select 'trigger', trigger_name, definer from information_schema.triggers
      where binary trigger_schema = binary ?
     union all select 'event', event_name, definer from information_schema.events where binary event_schema = binary ?`,
    [database, database, database, database],
  )
  const definers = new Map(rows.map(({ definer, ...object }) => [listedAs(object), definer]))
  return { user: await currentUser(session), definers }
}

/** All accounts and roles of the server, as it names definers, in lower case; `undefined` where the user may not read them. */
async function readAccounts(session: Session): Promise<ReadonlySet<string> | undefined> {
  const all = `select concat(user, '@', host) as account from mysql.user`
  const rows = await session.query<{ account: string }>(all).catch((error) => {
    if (isBackupError(error, 'source-denied')) return undefined
    throw error
  })
  return rows && new Set(rows.map(({ account }) => account.toLowerCase()))
}

function countsOf(objects: readonly SchemaObject[]): string {
  const counts = new Map<string, number>()
  for (const { kind } of objects) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].map(([kind, count]) => (count === 1 ? `1 ${kind}` : `${count} ${pluralOf(kind)}`)).join(', ')
}

const pluralOf = (kind: string): string => (kind === 'package body' ? 'package bodies' : `${kind}s`)

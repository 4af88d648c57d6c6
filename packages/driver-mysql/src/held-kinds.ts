import type { DumpRequest, Manifest } from '@holdfast/core'
import type { MysqlSettings } from './options.js'
import { codeOf, type TableInfo, tablesOf } from './schema-objects.js'
import type { Session } from './session.js'
import type { TableChoice } from './table-selection.js'

/** Kinds of what a dump can hold beside tables, as far as different rights are needed to make them. */
const kinds = ['view', 'trigger', 'function', 'procedure', 'event'] as const

/** One of them. */
export type Kind = (typeof kinds)[number]

/** What a dump is about to be made of. */
export interface Chosen {
  readonly database: string
  readonly settings: Pick<MysqlSettings, 'routines' | 'events' | 'triggers'>
  readonly request: Pick<DumpRequest, 'sections'>
  readonly choice: Pick<TableChoice, 'only'>
  /** Tables, sequences and views. */
  readonly chosen: readonly TableInfo[]
}

/** The kinds that a dump will hold, for its manifest. */
export async function kindsHeld(
  session: Session,
  { database, settings, request, choice, chosen }: Chosen,
): Promise<readonly Kind[]> {
  if (request.sections === 'data') return []
  const names = new Set(chosen.map(({ name }) => name))
  const code = choice.only === undefined ? await codeOf(session, database) : []
  const triggers = await session.query<{ table: string }>(
    `select distinct event_object_table as \`table\` from information_schema.triggers
      where binary trigger_schema = binary ?`,
    [database],
  )
  const held: Readonly<Record<Kind, boolean>> = {
    view: chosen.some(({ kind }) => kind === 'view'),
    trigger: settings.triggers !== false && triggers.some(({ table }) => names.has(table)),
    function: settings.routines !== false && code.some(({ kind }) => kind === 'function'),
    // Packages take the same right.
    procedure: settings.routines !== false && code.some(({ kind }) => kind !== 'function' && kind !== 'event'),
    event: settings.events !== false && code.some(({ kind }) => kind === 'event'),
  }
  return kinds.filter((kind) => held[kind])
}

/** The kinds that a database holds. */
export async function kindsIn(session: Session, database: string): Promise<readonly Kind[]> {
  const chosen = await tablesOf(session, database)
  return await kindsHeld(session, { database, settings: {}, request: {}, choice: { only: undefined }, chosen })
}

/** What is known of the kinds that a restore will make. */
export interface KnownKinds {
  readonly kinds: readonly Kind[]
  /** Whether it is certain that there are such. */
  readonly isCertain: boolean
}

/** The kinds that a restore will make: those that the manifest names, or any that there can be. */
export function kindsToMake(
  { options }: Pick<Manifest, 'options'>,
  { sections, tables }: { readonly sections?: string; readonly tables?: readonly string[] },
): KnownKinds {
  if (sections === 'data' || options.sections === 'data') return { kinds: [], isCertain: true }
  const { holds } = options
  const isSaid = Array.isArray(holds)
  const held = isSaid ? kinds.filter((kind) => holds.includes(kind)) : kinds
  if (tables === undefined) return { kinds: held, isCertain: isSaid }
  return { kinds: held.filter((kind) => kind === 'trigger'), isCertain: false } // they may be of other tables
}

import { unquoteIdentifier } from './quoting.js'
import type { Session } from './session.js'

/** What a user may do, as far as the server tells. */
export interface Rights {
  /** Those of the wanted rights (`CREATE VIEW`) that the user does not have on all of a schema. */
  missing(schema: string, wanted: readonly string[]): readonly string[]
  /** Whether the user has a right on a table of a schema, or on any of them, by a grant on that table. */
  hasOnTable(schema: string, right: string, table?: string): boolean
  /** Whether the user has a right on the whole server. */
  hasGlobally(right: string): boolean
  /** Whether there are roles, whose rights may not be among those that the server tells of. */
  readonly hasRoles: boolean
}

/** The account that the user signed in as: `name@host`, of which either may be a pattern. */
export async function currentUser(session: Session): Promise<string> {
  const [row] = await session.query<{ user: string }>('select current_user() as user')
  return row?.user ?? ''
}

/** Whether the user may do anything on this server. */
export async function mayAnything(session: Session): Promise<boolean> {
  return await mayGlobally(session, 'SUPER')
}

/** Whether the user has rights on the whole server. */
export async function mayGlobally(session: Session, ...rights: readonly string[]): Promise<boolean> {
  const { hasGlobally } = await readRights(session)
  return rights.every(hasGlobally)
}

/** Whether the user may make views, triggers, routines and events in the name of somebody else. */
export async function mayNameDefiners(session: Session): Promise<boolean> {
  const { hasGlobally } = await readRights(session)
  const { flavour, number } = session.server
  if (flavour === 'mysql') return ['SET_ANY_DEFINER', 'SET_USER_ID', 'SUPER'].some(hasGlobally)
  return hasGlobally('SET USER') || (number < 110_000 && hasGlobally('SUPER')) // later, SUPER does not give it any more
}

/** The right that this takes. */
export function rightToNameDefiners({ server: { flavour, number } }: Pick<Session, 'server'>): string {
  if (flavour === 'mariadb') return 'SET USER'
  return number < 80_200 ? 'SET_USER_ID' : 'SET_ANY_DEFINER'
}

/** Asks what the user may do. */
export async function readRights(session: Session): Promise<Rights> {
  const rows = await session.query('show grants')
  return rightsFrom(rows.flatMap((row) => Object.values(row).map(String)))
}

interface Grant {
  readonly rights: ReadonlySet<string>
  /** The schemas that it is for; absent for all. */
  readonly schemas?: RegExp
  /** The one table that it is for; absent for all. */
  readonly table?: string
}

/** Reads the lines of `SHOW GRANTS`. Those on a routine are as those on a table. */
export function rightsFrom(lines: readonly string[]): Rights {
  const found = lines.map(grantFrom).filter((grant) => grant !== undefined)
  const grants = found.filter(({ table }) => table === undefined)
  const gives = ({ rights }: Grant, right: string): boolean => rights.has(right) || rights.has('ALL PRIVILEGES')
  return {
    missing(schema, wanted) {
      const given = grants.filter(({ schemas }) => schemas === undefined || schemas.test(schema))
      return wanted.filter((right) => !given.some((grant) => gives(grant, right)))
    },
    hasOnTable: (schema, right, table) =>
      found.some(
        (grant) =>
          grant.table !== undefined &&
          grant.table === (table ?? grant.table) &&
          grant.schemas?.test(schema) === true &&
          gives(grant, right),
      ),
    hasGlobally: (right) => grants.some((grant) => grant.schemas === undefined && gives(grant, right)),
    hasRoles: lines.some((line) => line.startsWith('GRANT ') && !line.includes(' ON ')),
  }
}

function grantFrom(line: string): Grant | undefined {
  const [, rights, schema, table] = grantLine.exec(line) ?? []
  if (rights === undefined) return undefined
  const given = {
    rights: new Set(rights.split(/,\s*/)),
    ...(table === undefined || table === '*' ? {} : { table: unquoteIdentifier(table) }),
  }
  return schema === undefined ? given : { ...given, schemas: patternOf(schema.replaceAll('``', '`')) }
}

const grantLine =
  /^GRANT (.+?) ON (?:(?:TABLE|PROCEDURE|FUNCTION|PACKAGE(?: BODY)?) )?(?:\*|`((?:[^`]|``)*)`)\.(\*|`(?:[^`]|``)*`) TO /s

/** `_` is any character and `%` any text, unless a backslash stands before it. */
function patternOf(schema: string): RegExp {
  const letters = schema.match(/\\.|./gsu) ?? []
  return new RegExp(`^${letters.map(translate).join('')}$`, 'isu')
}

function translate(letter: string): string {
  if (letter === '_') return '.'
  if (letter === '%') return '.*'
  return (letter.length > 1 ? letter.replace('\\', '') : letter).replace(/[\^$.*+?()[\]{}|\\/]/, '\\$&')
}

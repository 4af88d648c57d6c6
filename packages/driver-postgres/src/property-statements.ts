import type { DatabaseGrant, DatabaseProperties, DatabaseSetting } from './database-properties.js'
import { quoteIdentifier, quoteLiteral } from './quoting.js'

/** The statement that makes an empty database of the same encoding and locale. */
export function createDatabaseStatement(
  name: string,
  like: DatabaseProperties | undefined,
  serverMajor: number,
): string {
  const words = [`create database ${quoteIdentifier(name)} template template0`]
  if (!like) return words.join(' ')
  words.push(`encoding ${quoteLiteral(like.encoding)}`)
  words.push(`lc_collate ${quoteLiteral(like.collate)} lc_ctype ${quoteLiteral(like.ctype)}`)
  if (serverMajor < 15) return words.join(' ')
  words.push(`locale_provider ${quoteIdentifier(like.localeProvider)}`)
  const localeWord = { icu: 'icu_locale', builtin: 'builtin_locale' }[like.localeProvider]
  if (localeWord && like.locale) words.push(`${localeWord} ${quoteLiteral(like.locale)}`)
  return words.join(' ')
}

/** Which of the properties to give to another database. */
export interface ApplyOptions {
  readonly noOwner: boolean
  readonly noPrivileges: boolean
}

/** A statement about a database. */
export interface PropertyStatement {
  readonly sql: string
  /** Whether the database is not what it should be without it. */
  readonly essential: boolean
}

/** The statements that give a database the owner, grants, settings, limit and comment of another. */
export function applyStatements(
  name: string,
  like: DatabaseProperties,
  options: ApplyOptions,
): readonly PropertyStatement[] {
  const database = quoteIdentifier(name)
  const settings = like.settings.map((setting) => settingStatement(database, setting))
  if (like.comment !== undefined) settings.push(`comment on database ${database} is ${quoteLiteral(like.comment)}`)
  if (like.connectionLimit !== -1) settings.push(`alter database ${database} connection limit ${like.connectionLimit}`)
  const access = options.noPrivileges || !like.grants ? [] : grantStatements(database, like.grants)
  const owner = options.noOwner ? [] : [`alter database ${database} owner to ${quoteIdentifier(like.owner)}`]
  return [
    ...settings.map((sql) => ({ sql, essential: false })),
    ...[...access, ...owner].map((sql) => ({ sql, essential: true })), // the owner last: then we may no more
  ]
}

/** The roles that {@link applyStatements} name. */
export function rolesOf(like: DatabaseProperties, options: ApplyOptions): readonly string[] {
  const named = [
    ...(options.noOwner ? [] : [like.owner]),
    ...(options.noPrivileges ? [] : (like.grants ?? []).map(({ role }) => role)),
    ...like.settings.map(({ role }) => role),
  ]
  return [...new Set(named.filter((role) => role !== undefined))]
}

function grantStatements(database: string, grants: readonly DatabaseGrant[]): readonly string[] {
  const known = new Set(['CREATE', 'TEMPORARY', 'CONNECT'])
  return [
    `revoke all on database ${database} from public`,
    ...grants
      .filter(({ privilege }) => known.has(privilege)) // a keyword cannot be quoted, and a manifest is not trusted
      .map(({ role, privilege, grantable }) => {
        const to = role === undefined ? 'public' : quoteIdentifier(role)
        return `grant ${privilege} on database ${database} to ${to}${grantable ? ' with grant option' : ''}`
      }),
  ]
}

function settingStatement(database: string, { role, name, value }: DatabaseSetting): string {
  const of =
    role === undefined ? `alter database ${database}` : `alter role ${quoteIdentifier(role)} in database ${database}`
  const variable = name.split('.').map(quoteIdentifier).join('.')
  const values = listSettings.has(name.toLowerCase()) ? splitList(value) : [value]
  return `${of} set ${variable} to ${values.map(quoteLiteral).join(', ') || "''"}`
}

/** Settings that are lists of names, which the server keeps quoted; as a single literal they would be one odd name. */
const listSettings = new Set([
  ...['search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries'],
  ...['shared_preload_libraries', 'unix_socket_directories'],
])

function splitList(value: string): readonly string[] {
  const names = value.match(/"(?:[^"]|"")*"|[^,\s"][^,]*/g) ?? []
  return names.map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.trim()))
}

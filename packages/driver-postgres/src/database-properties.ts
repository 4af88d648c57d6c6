import * as z from 'zod'
import { quoteIdentifier, quoteLiteral } from './quoting.js'
import type { Session } from './session.js'

/**
 * What a database has beside its content. Written into the manifest, for dumps hold none of it: a database that is
 * made for a restore gets the same, and one that takes another's place inherits it.
 */
export interface DatabaseProperties {
  readonly encoding: string
  readonly collate: string
  readonly ctype: string
  /** `libc`, `icu` or `builtin`. */
  readonly localeProvider: string
  /** Locale of the provider, where it is not `libc`. */
  readonly locale?: string | undefined
  readonly owner: string
  readonly comment?: string | undefined
  readonly connectionLimit: number
  /** Absent: the default grants. */
  readonly grants?: readonly DatabaseGrant[] | undefined
  readonly settings: readonly DatabaseSetting[]
}

interface DatabaseGrant {
  /** Absent: everybody. */
  readonly role?: string | undefined
  readonly privilege: string
  readonly grantable: boolean
}

interface DatabaseSetting {
  /** Absent: for every role. */
  readonly role?: string | undefined
  readonly name: string
  readonly value: string
}

const schema: z.ZodType<DatabaseProperties> = z.object({
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  localeProvider: z.string(),
  locale: z.string().optional(),
  owner: z.string(),
  comment: z.string().optional(),
  connectionLimit: z.int(),
  grants: z.array(z.object({ role: z.string().optional(), privilege: z.string(), grantable: z.boolean() })).optional(),
  settings: z.array(z.object({ role: z.string().optional(), name: z.string(), value: z.string() })),
})

/** Properties out of a manifest's options; `undefined` where there are none that can be read. */
export function propertiesFrom(options: Readonly<Record<string, unknown>>): DatabaseProperties | undefined {
  return schema.safeParse(options.database).data
}

/** Reads the properties of a database; `undefined` when the server has none of that name. */
export async function readProperties(session: Session, database: string): Promise<DatabaseProperties | undefined> {
  // Columns come and go between versions: as JSON, one that is not there is null.
  const [row] = await session.query<{
    d: Record<string, unknown>
    encoding: string
    owner: string
    comment: string | null
  }>(
    `select to_jsonb(d) as d, pg_encoding_to_char(encoding) as encoding, pg_get_userbyid(datdba)::text as owner,
            shobj_description(oid, 'pg_database') as comment
       from pg_database d where datname = $1`,
    [database],
  )
  if (!row) return undefined
  const text = (column: string): string | undefined => {
    const value = row.d[column]
    return typeof value === 'string' ? value : undefined
  }
  const provider = { i: 'icu', b: 'builtin' }[text('datlocprovider') ?? ''] ?? 'libc'
  return {
    encoding: row.encoding,
    collate: text('datcollate') ?? 'C',
    ctype: text('datctype') ?? 'C',
    localeProvider: provider,
    ...(provider === 'libc' ? {} : { locale: text('datlocale') ?? text('daticulocale') }),
    owner: row.owner,
    ...(row.comment === null ? {} : { comment: row.comment }),
    connectionLimit: Number(row.d.datconnlimit ?? -1),
    ...(text('datacl') === undefined && !row.d.datacl ? {} : { grants: await readGrants(session, database) }),
    settings: await readSettings(session, database),
  }
}

async function readGrants(session: Session, database: string): Promise<readonly DatabaseGrant[]> {
  const rows = await session.query<{ role: string | null; privilege: string; grantable: boolean }>(
    `select case grantee when 0 then null else pg_get_userbyid(grantee)::text end as role,
            privilege_type as privilege, is_grantable as grantable
       from pg_database, aclexplode(datacl) where datname = $1 and grantee <> datdba order by 1, 2`,
    [database],
  )
  return rows.map(({ role, ...rest }) => (role === null ? rest : { role, ...rest }))
}

async function readSettings(session: Session, database: string): Promise<readonly DatabaseSetting[]> {
  const rows = await session.query<{ role: string | null; setting: string }>(
    `select case setrole when 0 then null else pg_get_userbyid(setrole)::text end as role, unnest(setconfig) as setting
       from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase where d.datname = $1 order by 1, 2`,
    [database],
  )
  return rows.map(({ role, setting }) => {
    const equals = setting.indexOf('=')
    const rest = { name: setting.slice(0, equals), value: setting.slice(equals + 1) }
    return role === null ? rest : { role, ...rest }
  })
}

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

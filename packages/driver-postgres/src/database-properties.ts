import * as z from 'zod'
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

/** Who may do what with a database. */
export interface DatabaseGrant {
  /** Absent: everybody. */
  readonly role?: string | undefined
  readonly privilege: string
  readonly grantable: boolean
}

/** A setting that sessions in a database begin with. */
export interface DatabaseSetting {
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

import { type DatabaseInfo, isBackupError, type RunContext, type ServerInfo } from '@holdfast/core'
import type { PostgresSettings } from './options.js'
import type { BoundDatabase } from './restore-job.js'
import { schemaCondition } from './selection.js'
import { openMaintenance, openSession, type Session } from './session.js'

/** Schemas that PostgreSQL keeps for itself. */
const systemSchemas = `('pg_catalog', 'information_schema', 'pg_toast')`
const userSchema = (alias: string): string =>
  `${alias}.nspname not in ${systemSchemas} and ${alias}.nspname !~ '^pg_(temp|toast_temp)_'`

/** {@link Driver.probe} for PostgreSQL. */
export async function probe({ connection, settings }: BoundDatabase, ctx: RunContext): Promise<ServerInfo> {
  try {
    await using session = await openSession(connection, ctx)
    return { ...(await readServer(session)), database: await readDatabase(session, settings) }
  } catch (error) {
    if (!isBackupError(error, 'source-missing')) throw error
    await using session = await openMaintenance(connection, settings.maintenanceDatabase, ctx)
    return await readServer(session)
  }
}

async function readServer(session: Session): Promise<Pick<ServerInfo, 'version' | 'superuser'>> {
  const [row] = await session.query<{ version: string; superuser: boolean }>(
    `select current_setting('server_version') as version,
            (select rolsuper from pg_roles where rolname = current_user) as superuser`,
  )
  return { version: row?.version ?? '', superuser: row?.superuser ?? false }
}

/** The database that the session is in. */
async function readDatabase(session: Session, settings: PostgresSettings): Promise<DatabaseInfo> {
  const [row] = await session.query<{
    size: number
    encoding: string
    tables: number
    extensions: string[]
    connections: number
  }>(
    `select pg_database_size(current_database())::float8 as size,
            pg_encoding_to_char(encoding) as encoding,
            (select count(*)::int from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where c.relkind in ('r', 'p', 'm', 'f') and ${userSchema('n')}) as tables,
            array(select extname::text from pg_extension order by 1) as extensions,
            (select count(*)::int from pg_stat_activity a
              where a.datid = d.oid and a.pid <> pg_backend_pid() and a.usesysid is not null) as connections
       from pg_database d where datname = current_database()`,
  )
  return {
    sizeBytes: row?.size ?? 0,
    encoding: row?.encoding ?? '',
    tables: row?.tables ?? 0,
    empty: await isEmpty(session),
    extensions: row?.extensions ?? [],
    unreadable: await readUnreadable(session, settings),
    connections: row?.connections ?? 0,
  }
}

/** Whether the session's database holds nothing that a user made: what `template0` holds, and no more. */
export async function isEmpty(session: Session): Promise<boolean> {
  const inUserSchemas = ['rel pg_class', 'pro pg_proc', 'typ pg_type', 'opr pg_operator', 'coll pg_collation']
  const checks = [
    ...inUserSchemas.map((entry) => {
      const [prefix, catalog] = entry.split(' ')
      return `select 1 from ${catalog} o join pg_namespace n on n.oid = o.${prefix}namespace where ${userSchema('n')}`
    }),
    `select 1 from pg_namespace n where ${userSchema('n')} and n.nspname <> 'public'`,
    `select 1 from pg_extension where extname <> 'plpgsql'`,
    `select 1 from pg_largeobject_metadata`,
    ...['pg_cast', 'pg_language', 'pg_foreign_data_wrapper', 'pg_event_trigger', 'pg_publication'].map(
      (catalog) => `select 1 from ${catalog} where oid >= 16384`, // below are those that initdb made
    ),
  ]
  const [row] = await session.query<{ used: boolean }>(
    `select ${checks.map((check) => `exists (${check})`).join(' or ')} as used`,
  )
  return row?.used === false
}

/** What an extension makes is in no dump, unless the extension has asked for its rows. */
const isMadeByExtension = `exists (
  select 1 from pg_depend e join pg_extension x on x.oid = e.refobjid
   where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
     and not c.oid = any (coalesce(x.extconfig, '{}')))`

/**
 * What the role may not read of what is to be dumped: `pg_dump` stops at the first of them, or, under row security,
 * would lack rows.
 */
async function readUnreadable(session: Session, settings: PostgresSettings): Promise<readonly string[]> {
  const { schemas = [], excludeSchemas = [], largeObjects = schemas.length === 0 } = settings
  const values: unknown[] = []
  const ofSchemas = (patterns: readonly string[]): string =>
    patterns.map((pattern) => `(${schemaCondition(pattern, values)})`).join(' or ')
  const included = schemas.length > 0 ? `and (${ofSchemas(schemas)})` : ''
  const excluded = excludeSchemas.length > 0 ? `and not (${ofSchemas(excludeSchemas)})` : ''
  const rows = await session.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where ${userSchema('n')} and c.relpersistence <> 't' ${included} ${excluded}
        and not (has_schema_privilege(n.oid, 'USAGE')
          and case c.relkind when 'S' then has_sequence_privilege(c.oid, 'SELECT')
                             else has_table_privilege(c.oid, 'SELECT') and not row_security_active(c.oid) end)
        and c.relkind in ('r', 'p', 'S', 'm') and not ${isMadeByExtension}
     union all
     select 'large object ' || l.oid from pg_largeobject_metadata l
      where ${largeObjects} and not pg_has_role(l.lomowner, 'USAGE')
        and not exists (select 1 from aclexplode(l.lomacl) a
                         where a.privilege_type = 'SELECT' and (a.grantee = 0 or pg_has_role(a.grantee, 'USAGE')))
        and not exists (select 1 from pg_roles where rolname = current_user and rolsuper)
      order by 1`,
    values,
  )
  return rows.map(({ name }) => name)
}

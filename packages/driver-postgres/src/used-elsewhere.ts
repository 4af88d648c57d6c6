import { anySchema, chosenTables, type Selection, userTables } from './selection.js'
import type { Session } from './session.js'

/**
 * What chosen tables, views and their parts (defaults, constraints, indexes, triggers, rules, policies) use and a dump of
 * them does not hold, as the server calls it: `type public.mood`, `function public.f(integer)`, `table public.customers`,
 * `extension hstore`. Schemas are no part of it: a restore makes them.
 */
export async function usedElsewhere(selection: Selection, session: Session): Promise<readonly string[]> {
  const values: unknown[] = []
  const tables = await chosenTables(selection, session, values)
  const rows = await session.query<{ name: string }>(
    `with chosen as (
       select c.oid ${userTables} and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
          and ${tables} and not (${anySchema(selection.excludeSchemas, values)})
     ), made as (
       select oid from chosen
       union select d.objid from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
        where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
          and d.deptype in ('a', 'i') and d.refobjid in (select oid from chosen)
     ), parts (class, id) as (
       select 'pg_class'::regclass, oid from made
       union all select 'pg_class'::regclass, indexrelid from pg_index where indrelid in (select oid from made)
       union all select 'pg_attrdef'::regclass, oid from pg_attrdef where adrelid in (select oid from made)
       union all select 'pg_constraint'::regclass, oid from pg_constraint where conrelid in (select oid from made)
       union all select 'pg_trigger'::regclass, oid from pg_trigger
                  where tgrelid in (select oid from made) and not tgisinternal
       union all select 'pg_rewrite'::regclass, oid from pg_rewrite where ev_class in (select oid from made)
       union all select 'pg_policy'::regclass, oid from pg_policy where polrelid in (select oid from made)
     )
     select distinct coalesce('extension ' || quote_ident(x.extname), used.type || ' ' || used.identity) as name
       from parts p
       join pg_depend d on d.classid = p.class and d.objid = p.id and d.deptype <> 'e'
       left join pg_depend e on e.classid = d.refclassid and e.objid = d.refobjid and e.deptype = 'e'
       left join pg_extension x on x.oid = e.refobjid
      cross join pg_identify_object(d.refclassid, d.refobjid, 0) used
      where d.refobjid >= 16384 -- below are those of every server
        and d.refclassid in ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass,
                             'pg_opclass'::regclass, 'pg_collation'::regclass, 'pg_ts_config'::regclass,
                             'pg_foreign_server'::regclass)
        and not exists (select from parts o where o.class = d.refclassid and o.id = d.refobjid)
        and not exists (select from pg_class i where d.refclassid = 'pg_class'::regclass and i.oid = d.refobjid
                                                 and i.relkind in ('i', 'I'))
        and not exists (select from pg_type t where d.refclassid = 'pg_type'::regclass and t.oid = d.refobjid
                                                and t.typrelid in (select oid from made))
      order by 1`,
    values,
  )
  return rows.map(({ name }) => name)
}

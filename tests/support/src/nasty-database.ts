/**
 * A database that holds everything that is likely to be lost on the way: every built-in type, odd names, and each
 * kind of object. As statements for a superuser, in UTF8.
 */
export const nastyDatabase: string = String.raw`
create role nasty_reader;
create role "nasty ""Owner"";--";

create schema "sch ema ""quoted""";
create schema "😀 schéma";
comment on schema "😀 schéma" is E'a comment with a quote '' and a\nline break';
grant usage on schema "😀 schéma" to nasty_reader;

create extension hstore;
create extension citext with schema "😀 schéma";
create extension pgcrypto;
create extension postgres_fdw;
create extension btree_gist;

create type mood as enum ('sad', 'o''k', 'ha"ppy', 'new
line');
create type pair as (a int, "b c" text[]);
create domain positive as int check (value > 0) default 1 not null;
create domain email as text check (value ~ '^[^@]+@[^@]+$');
create type float_range as range (subtype = float8, subtype_diff = float8mi);
create collation "nasty coll" (provider = icu, locale = 'de-u-co-phonebk');

create table "every type" (
  id int generated always as identity primary key,
  "a smallint" smallint, b bigint, c numeric(40, 10), d real, e double precision, f money, g "char", h char(7),
  i varchar(20), j text, k bytea, l timestamp, m timestamptz(3), n date, o time, p timetz, q interval, r boolean,
  s mood, t point, u line, v lseg, w box, x path, y polygon, z circle, aa cidr, ab inet, ac macaddr, ad macaddr8,
  ae bit(5), af bit varying(9), ag tsvector, ah tsquery, ai uuid, aj xml, ak json, al jsonb, am jsonpath, an int4range,
  ao nummultirange, ap tstzrange, aq datemultirange, ar float_range, as_ pair, at positive, au email, av int[][],
  aw text[], ax pair[], ay hstore, az "😀 schéma".citext, ba oid, bb regclass, bc pg_lsn, bd name, be txid_snapshot,
  bf xid, bg tid, bh int2vector, bi regtype, bj numeric, bk pg_snapshot
);
insert into "every type" (
  "a smallint", b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae, af, ag,
  ah, ai, aj, ak, al, am, an, ao, ap, aq, ar, as_, at, au, av, aw, ax, ay, az, ba, bb, bc, bd, be, bf, bg, bh, bi, bj, bk
) values (
  -32768, 9223372036854775807, 123456789012345678901234567890.0123456789, 1.1754944e-38, 'NaN', '-92233720368547758.08',
  'x', 'pad', E'tab\tnew\nline', E'back\\slash \\. \\N \r \b quote '' " ; -- /* $$ $x$ 😀 \u00e9', '\x00010203ff5c27005c2e0a',
  '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999+00', 'infinity', '24:00:00', '23:59:59.999999-15:59', '-178000000 years 1 day -00:00:00.000001',
  true, 'new
line', '(1.5,-2)', '{1,2,3}', '[(0,0),(1,1)]', '((0,0),(1,1))', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(0,0),5>',
  '10.0.0.0/8', '::ffff:1.2.3.4/128', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'10101', B'1', 'a:1A fat:2B,4C cat:5', 'fat & (rat | cat)',
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '<a b="c">é</a>', '{"k" :  [1,2], "k": "dup"}', '{"k": "\u00e9\n\\", "n": 1e400}', '$.a[*] ? (@ > 1)',
  '[1,10)', '{[1,2),[5,)}', '(,2020-01-01)', '{[2020-01-01,2020-02-01)}', '[1.5,2.5]', row(1, array['x,y', null, '{"}']), 7, 'a@b.c',
  '[0:1][3:4]={{1,2},{3,4}}', array[null, 'NULL', '', ' ', '\', '"', '{}'], array[row(1, null)::pair, null], 'a=>1, "b c"=>NULL, "q\"uote"=>"x"',
  'CaSe', 4294967295, 'pg_class', '16/B374D848', 'a name', '10:20:10,14,15', '3', '(0,1)', '1 2 3', 'integer[]', 'Infinity', '10:20:10,14,15'
);
insert into "every type" (at) values (1);
insert into "every type" (j, k) select repeat('toast ' || i || ' é', 20000), decode(repeat('00ff', 50000), 'hex') from generate_series(1, 3) i;

create table "sch ema ""quoted"""."t able; drop table ""x""" (
  "col umn" int primary key, "UPPER" text default 'x''y', "new
line" text, "-dash" text, "$dollar$" text, "\back" text, "😀" text
);
insert into "sch ema ""quoted"""."t able; drop table ""x"""
  select i, 'u' || i, E'\n', '\.', '$$', E'\\', '😀' from generate_series(1, 50) i;
comment on column "sch ema ""quoted"""."t able; drop table ""x"""."new
line" is 'comment; with -- marks and $$ and \restrict';
create table "-dash first" (id serial primary key, v text);
insert into "-dash first" (v) values ('\.'), (E'\\.\n\\.'), (''), (null), ('\N'), (E'\x01');
create table "new
line table" (a int);
insert into "new
line table" values (1);
create table "no columns" ();
insert into "no columns" default values;
create table "empty" (id bigserial primary key, "a""b" text unique);

create function double(i int) returns int language sql immutable as 'select $1 * 2';
create function "😀 schéma".touched() returns trigger language plpgsql as $fn$
begin
  -- a comment; with 'quotes' and $$ dollars $$
  new.v := coalesce(new.v, E'none; \\!echo');
  return new;
end
$fn$;
create function atomic(i int) returns int language sql begin atomic select case when i > 0 then i else -i end; end;
create procedure nothing(inout x int) language plpgsql as $$ begin x := x + 1; end $$;
create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0');
create operator === (leftarg = int, rightarg = int, function = int4eq, commutator = ===);
create cast (pair as text) with inout as assignment;

create table parent (id int generated by default as identity (start with 10 increment by 5) primary key, v text not null,
  gen int generated always as (double(id)) stored, check (v <> 'forbidden'));
create table child (extra numeric(10, 2), parent_id int references parent on delete cascade deferrable initially deferred)
  inherits (parent);
create index on parent (v text_pattern_ops) where id > 5;
create unique index "expr idx" on parent (lower(v), (id % 7) desc nulls last) include (gen);
create index on child using brin (extra);
create trigger touched before insert or update of v on parent for each row when (new.id > 0) execute function "😀 schéma".touched();
create rule "no delete" as on delete to "empty" do instead (select 1; select 2);
alter table parent cluster on parent_pkey;
insert into parent (v) select 'v' || i from generate_series(1, 100) i;
insert into child (id, v, extra, parent_id) select i, 'c' || i, i / 3.0, 10 from generate_series(1000, 1010) i;
set constraints all immediate;
create statistics st (dependencies) on id, v from parent;

create table partitioned (id int, at date, v text, primary key (id, at)) partition by range (at);
create table part_2020 partition of partitioned for values from ('2020-01-01') to ('2021-01-01') partition by hash (id);
create table part_2020_0 partition of part_2020 for values with (modulus 2, remainder 0);
create table "part 2020 1" partition of part_2020 for values with (modulus 2, remainder 1);
create table part_rest partition of partitioned default;
insert into partitioned select i, date '2020-01-01' + i * 10, 'p' || i from generate_series(1, 100) i;
create index on partitioned (v);

create table bookings (room int, during tsrange, exclude using gist (room with =, during with &&));
insert into bookings values (1, '[2020-01-01,2020-01-02)'), (1, '[2020-01-02,2020-01-03)');
create unlogged table unlogged (a int);
insert into unlogged values (42);
create table self (id int primary key, boss int references self);
insert into self values (1, null), (2, 1);
create table loop_a (id int primary key);
create table loop_b (id int primary key, a int references loop_a);
alter table loop_a add b int references loop_b deferrable;

create view "a view" as select id, v from parent where v like 'v%' with check option;
create view late as select m.mood_count from (select count(*) as mood_count from "every type") m;
create materialized view "mat view" as select at, count(*) as n from partitioned group by at;
create unique index on "mat view" (at);
create materialized view unfilled as select 1 as x with no data;
create view rolled as select * from "mat view";
create rule "view insert" as on insert to "a view" do instead insert into parent (v) values (new.v);

create sequence "odd seq" as smallint increment by -3 minvalue -100 maxvalue 50 start with 20 cache 5 cycle;
select nextval('"odd seq"'), nextval('"odd seq"');

alter table self enable row level security;
alter table self force row level security;
create policy "own rows" on self for select to nasty_reader, public using (id > 0);
grant select (id), update (v) on parent to nasty_reader with grant option;
grant all on table "empty" to "nasty ""Owner"";--";
alter table "empty" owner to "nasty ""Owner"";--";
revoke execute on function double(int) from public;
alter default privileges in schema "😀 schéma" grant select on tables to nasty_reader;

create foreign data wrapper nothing_fdw options (debug 'a''b');
create server far foreign data wrapper postgres_fdw options (host 'far.invalid', dbname 'x');
create user mapping for nasty_reader server far options (user 'u');
create foreign table "far table" (a int options (column_name 'b')) server far options (table_name 't''t');
create publication pub for table parent (id, v), partitioned;
create text search configuration nasty_search (copy = english);
create text search dictionary nasty_dict (template = simple, stopwords = english);
create function event_watch() returns event_trigger language plpgsql as $$ begin null; end $$;
create event trigger watch on ddl_command_end when tag in ('CREATE FUNCTION') execute function event_watch();

select lo_from_bytea(990001, '\x00ff0a5c2e'), lo_from_bytea(990002, ''), lo_create(990003);
select lo_from_bytea(990004, decode(repeat('ab00', 100000), 'hex'));
comment on large object 990001 is 'a large object';
grant select on large object 990002 to nasty_reader;
update "every type" set j = 'updated' where id = 2;
delete from "-dash first" where v = '';
`

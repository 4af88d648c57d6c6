import Database from 'better-sqlite3'

/** Everything that is likely to be lost on the way, in about two megabytes. */
const nasty = `
create table "quote ""d" ("a'b" text, "new
line" text, "emoji 🐘" blob);
insert into "quote ""d" values ('o''clock', 'two
lines', x'00ff00'), ('', null, zeroblob(3)), (cast(x'ff41' as text), 'nul' || char(0) || 'nul', 1e308), (9223372036854775807, -9223372036854775808, -0.0);
create table empty(x);
create table keyed(k text primary key collate nocase, v any) strict, without rowid;
insert into keyed values ('B', 1), ('a', 1.5), ('c', '1');
create table counted(id integer primary key autoincrement, at text default current_timestamp);
insert into counted(at) values ('x'), ('y'); delete from counted;
create table made(a int, b int generated always as (a * 2) stored, c int as (a + 1));
insert into made(a) values (1), (2);
create table child(parent integer references counted(id) on delete cascade deferrable initially deferred);
create index expression on made(a + b) where a > 1;
create view seen as select * from made;
create trigger noted after insert on empty begin insert into made(a) values (new.x); end;
create virtual table words using fts5(body);
insert into words values ('the quick brown fox'), ('jumps');
create virtual table boxes using rtree(id, minx, maxx);
insert into boxes values (1, 0, 1);
create table wide(${Array.from({ length: 1_999 }, (_, index) => `c${index}`).join(', ')});
insert into wide(c0, c1998) values ('first', x'ff');
create table big as with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000)
  select i, hex(zeroblob(200)) || i as t from n;
create table blob(b); insert into blob values (zeroblob(1500000));
analyze;
pragma user_version = 42; pragma application_id = 7;
`

/** Makes a database file; `sql` is run in it. */
export function makeDatabase(path: string, sql: string = nasty, mode: 'wal' | 'delete' = 'wal', pageSize = 4096): void {
  const database = new Database(path)
  database.pragma(`page_size = ${pageSize}`)
  database.pragma(`journal_mode = ${mode}`)
  database.exec(sql)
  database.close()
}

/**
 * A database that holds everything that is likely to be lost on the way: types, odd names, and each kind of object. As
 * statements, to be run one after the other by a user who may do anything.
 *
 * @param isMariadb - What only the one of the two knows is left out for the other.
 */
export function nastyMysqlDatabase(isMariadb: boolean): readonly string[] {
  return [...common, ...(isMariadb ? onlyMariadb : onlyMysql)]
}

const common: readonly string[] = [
  `set session sql_mode = ''`,
  `create table empty_one (id int primary key)`,
  `create table blobs (id int auto_increment primary key, b longblob, v varbinary(300), fixed binary(4), bits bit(9))`,
  `insert into blobs (b, v, fixed, bits) values
     (0x00, 0x27005c0a0d1a22, 0x00ff, b'101010101'), (null, '', null, null), (repeat(0xff005c27, 30000), 'x', 'ab', 0)`,
  `create table texts (id int primary key, t longtext, c varchar(100) character set latin1, e enum('a''b', 'ü', ';'), s set('x','y'))
     character set utf8mb4`,
  String.raw`insert into texts values
     (1, '😀 emoji; ''quote'' "double" \\back ${'`'}tick${'`'}', 'caf\u00e9', 'a''b', 'x,y'),
     (2, 'line\nbreak\r\n-- comment\n/* not */ ; delimiter ;;\nDELIMITER //\n\\! touch /tmp/pwned', '\\', 'ü', ''),
     (3, '', null, ';', 'y'), (4, null, null, null, null), (5, 'ends with backslash \\', ';', ';', 'x')`,
  `create table dates (d date, dt datetime(6), ts timestamp(3) null, t time, y year)`,
  `insert into dates values ('0000-00-00', '0000-00-00 00:00:00', '2024-03-31 01:30:00.123', '-838:59:59', 1901),
     ('9999-12-31', '2024-02-29 23:59:59.999999', null, '00:00:00', 2155), ('2024-00-00', null, '2037-12-31 23:59:59', null, 0)`,
  `create table numbers (i bigint unsigned, d decimal(65,30), f double, g float, z int(5) zerofill, neg tinyint)`,
  `insert into numbers values (18446744073709551615, -12345678901234567890123456789012345.123456789012345678901234567890, 1.7976931348623157e308, 0.1, 42, -128),
     (0, 0, -0.0, 1e-30, 0, null)`,
  `create table computed (a int, b int as (a * 2) virtual, c varchar(20) as (concat('#', a)) stored, d datetime default current_timestamp on update current_timestamp, key (c))`,
  `insert into computed (a, d) values (1, '2020-01-01'), (2, '2020-01-02'), (null, '2020-01-03')`,
  `create table hidden (a int, secret int invisible default 7, b int)`,
  `insert into hidden (a, secret, b) values (1, 2, 3), (4, 5, 6)`,
  `create table shapes (id int primary key, p point not null, g geometry, spatial index (p))`,
  `insert into shapes values (1, st_geomfromtext('POINT(1 2)'), st_geomfromtext('LINESTRING(0 0, 1 1, 2 0)')), (2, st_geomfromtext('POINT(-1 0.5)'), null)`,
  `create table docs (id int primary key, j json)`,
  String.raw`insert into docs values (1, '{"a": [1, "two", null], "quote": "\\"", "emoji": "😀"}'), (2, '[]'), (3, null)`,
  'create table `odd ``name``; -- \n"x" ü☃` (`col\'umn` int, `select` int, `a``b` varchar(10), primary key (`a``b`))',
  "insert into `odd ``name``; -- \n\"x\" ü☃` values (1, 2, 'v'), (3, 4, 'w')",
  'create table `back\\slash` (`c\\` int)',
  'insert into `back\\slash` values (1)',
  `create table parent (id int auto_increment primary key, v varchar(50), unique key (v)) comment = 'it''s; a "comment"'`,
  `create table child (id int primary key, parent_id int, constraint child_to_parent foreign key (parent_id) references parent (id) on delete cascade)`,
  `create table selfish (id int primary key, up int, foreign key (up) references selfish (id))`,
  `insert into parent values (1, 'one'), (2, 'two'), (5, 'five')`,
  `set session sql_mode = 'NO_AUTO_VALUE_ON_ZERO'`,
  `insert into parent values (0, 'zero')`,
  `set session sql_mode = ''`,
  `insert into child values (1, 1), (2, null), (3, 0)`,
  `set session foreign_key_checks = 0`,
  `insert into selfish values (1, 2), (2, 1)`,
  `set session foreign_key_checks = 1`,
  `create table no_key (a int, b int)`,
  `insert into no_key values (1, 1), (1, 1), (2, null)`,
  `create table parted (id int, at date not null) partition by range (year(at)) (partition p0 values less than (2020), partition p1 values less than maxvalue)`,
  `insert into parted values (1, '2019-05-05'), (2, '2024-05-05')`,
  `create table searched (id int primary key, t text, fulltext key (t)) engine = InnoDB`,
  `insert into searched values (1, 'find me'), (2, 'or me')`,
  `create table counted (n int)`,
  `create view parents as select id, v from parent where id > 0`,
  `create definer = current_user sql security invoker view a_view_of_views as select p.id, p.v from parents p`,
  `create view \`odd view;\` as select 'it''s; \\\\! touch /tmp/pwned' as \`odd;col\``,
  `create trigger parent_added before insert on parent for each row set new.v = concat(new.v, '')`,
  `create trigger child_added after insert on child for each row begin insert into counted values (new.id); /* it's; */ end`,
  `create trigger child_added_too after insert on child for each row begin -- don't stop; here
   insert into counted values (-new.id); end`,
  `create procedure shout(in what varchar(100)) comment 'it''s' begin declare x int default 0; select concat(what, ';', x); end`,
  `create function doubled(x int) returns int deterministic return x * 2`,
  `set session sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'`,
  String.raw`create procedure "odd;proc"() begin select 'ends with \'; select "n" from (select 1 as "n") t; end`,
  `set session sql_mode = ''`,
  `create event nightly on schedule every 1 day starts '2020-01-01 03:00:00' comment 'ENABLE; it' do begin delete from counted where n = 0; end`,
  `create event asleep on schedule every 1 hour starts '2020-01-01 00:00:00' disable do set @x = 'ON COMPLETION PRESERVE ENABLE'`,
]

const onlyMariadb: readonly string[] = [
  `create sequence numbers_seq start with 100 increment by 10`,
  `do nextval(numbers_seq)`,
  `create table from_sequence (id int primary key default nextval(numbers_seq), v int)`,
  `insert into from_sequence (v) values (1), (2)`,
  `create table versioned (id int primary key, v int) with system versioning`,
  `insert into versioned values (1, 1), (2, 2)`,
  `update versioned set v = 10 where id = 1`,
  `create table addresses (i inet6, u uuid)`,
  `insert into addresses values ('2001:db8::1', '123e4567-e89b-12d3-a456-426655440000')`,
]

const onlyMysql: readonly string[] = [
  `create table functional (id int primary key, v varchar(20), key ((lower(v))))`,
  `insert into functional values (1, 'A')`,
  `create table defaulted (id int primary key, u varchar(36) default (uuid()))`,
  `insert into defaulted values (1, 'x')`,
]

/**
 * A little shop, made by the server itself: about 230,000 rows in nine tables, with what real databases have (enums,
 * domains, identity and other sequences, generated columns, JSON, arrays, partitions, triggers, views).
 */
export const sampleShop: readonly string[] = [
  `select setseed(0.42)`,

  `create type order_status as enum ('placed', 'paid', 'shipped', 'returned')`,
  `create domain email as text check (value ~ '^[^@\\s]+@[^@\\s]+$')`,
  `create sequence invoice_number start 10000`,

  `create table customers (
    id bigint generated always as identity primary key,
    name text not null,
    email email not null unique,
    tags text[] not null default '{}',
    joined timestamptz not null
  )`,
  `create table addresses (
    id bigint generated always as identity primary key,
    customer_id bigint not null references customers on delete cascade,
    street text not null,
    city text not null,
    country char(2) not null
  )`,
  `create table products (
    sku text primary key,
    title text not null,
    description text not null,
    attributes jsonb not null,
    net_price numeric(10, 2) not null check (net_price >= 0),
    gross_price numeric(10, 2) generated always as (round(net_price * 1.2, 2)) stored
  )`,
  `create table orders (
    id bigint generated always as identity primary key,
    customer_id bigint not null references customers,
    status order_status not null,
    invoice bigint not null default nextval('invoice_number'),
    note text,
    placed_at timestamptz not null
  )`,
  `create table order_items (
    order_id bigint not null references orders on delete cascade,
    line smallint not null,
    sku text not null references products,
    quantity int not null check (quantity > 0),
    price numeric(10, 2) not null,
    primary key (order_id, line)
  )`,
  `create table payments (
    id uuid primary key default gen_random_uuid(),
    order_id bigint not null references orders,
    amount numeric(12, 2) not null,
    receipt bytea not null
  )`,
  `create table visits (customer_id bigint, path text not null, at timestamptz not null) partition by range (at)`,
  `create table visits_2025 partition of visits for values from ('2025-01-01') to ('2026-01-01')`,
  `create table visits_2026 partition of visits for values from ('2026-01-01') to ('2027-01-01')`,
  `create table audit_log (id bigserial primary key, what text not null, at timestamptz not null default now())`,

  `insert into customers (name, email, tags, joined)
    select (array['Ada', 'Björk', 'Chloë', 'Dmitri', 'Ève', '李'])[1 + n % 6] || ' ' || initcap(substr(md5(n::text), 1, 8)),
           'customer' || n || '@example.org',
           case when n % 5 = 0 then array['newsletter', 'vip'] else '{}' end,
           timestamptz '2025-01-01' + n * interval '17 minutes'
    from generate_series(1, 20000) n`,
  `insert into addresses (customer_id, street, city, country)
    select id, (1 + random() * 200)::int || ' ' || substr(md5(id::text), 1, 10) || ' street',
           (array['Köln', 'Paris', 'Kraków', 'Λάρισα', 'Lisboa'])[1 + id % 5], (array['DE', 'FR', 'PL', 'GR', 'PT'])[1 + id % 5]
    from customers`,
  `insert into products (sku, title, description, attributes, net_price)
    select 'SKU-' || to_char(n, 'FM00000'), 'Product "' || n || '"', repeat(md5(n::text) || E'\\n', 1 + n % 12),
           jsonb_build_object('weight', n % 900, 'colours', jsonb_build_array('red', 'blue'), 'tested', n % 2 = 0),
           (random() * 300)::numeric(10, 2)
    from generate_series(1, 3000) n`,
  `insert into orders (customer_id, status, note, placed_at)
    select 1 + (random() * 19999)::int, (enum_range(null::order_status))[1 + n % 4],
           case when n % 9 = 0 then E'Leave at the door;\\n\\tring "twice" \\\\ \\'please\\'' end,
           timestamptz '2025-06-01' + n * interval '12 minutes'
    from generate_series(1, 30000) n`,
  `insert into order_items
    select o.id, line, 'SKU-' || to_char(1 + (random() * 2999)::int, 'FM00000'), 1 + (random() * 4)::int,
           (random() * 300)::numeric(10, 2)
    from orders o cross join generate_series(1, 3) line`,
  `insert into payments (order_id, amount, receipt)
    select order_id, sum(quantity * price), decode(md5(order_id::text) || md5((-order_id)::text), 'hex')
    from order_items group by order_id`,
  `insert into visits
    select case when n % 3 > 0 then 1 + n % 20000 end, '/products/SKU-' || to_char(1 + n % 3000, 'FM00000'),
           timestamptz '2025-07-01' + n * interval '6 minutes'
    from generate_series(1, 60000) n`,

  `create function log_return() returns trigger language plpgsql as $$
    begin
      insert into audit_log (what) values ('order ' || new.id || ' came back');
      return new;
    end $$`,
  `create trigger order_returned after update of status on orders
    for each row when (new.status = 'returned') execute function log_return()`,
  `update orders set status = 'returned' where id % 40 = 0`,
  `create index on orders (customer_id)`,
  `create index on order_items (sku)`,
  `create index on products using gin (attributes)`,
  `create view revenue_by_country as
    select country, sum(amount) as revenue from payments join orders on orders.id = order_id
    join addresses using (customer_id) group by country`,
  `create materialized view best_sellers as
    select sku, sum(quantity) as sold from order_items group by sku order by sold desc, sku limit 100`,
  `comment on table orders is 'What customers bought; it''s never deleted.'`,
  `analyze`,
]

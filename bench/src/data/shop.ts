import type { DataSet, Table } from '#bench/data/data-set'
import type { Random } from '#bench/data/random'
import { prose, word } from '#bench/data/words'

const states = ['new', 'paid', 'packed', 'shipped', 'delivered', 'returned']
const filler = ' '.repeat(84)

/** A moment of the years 2023 to 2026, growing with the id as in a real table. */
const moment = (id: number, random: Random): string =>
  new Date(1_672_531_200_000 + id * 1_700 + random.int(1_000)).toISOString()

const accounts: Table = {
  name: 'accounts',
  columns: 'aid integer NOT NULL, bid integer, abalance integer, filler character(84)',
  afterwards: ['ALTER TABLE accounts ADD PRIMARY KEY (aid)'],
  rowsPer100MB: 600_000,
  row: (id) => `${id}\t${Math.ceil(id / 100_000)}\t0\t${filler}\n`,
}

const users: Table = {
  name: 'users',
  columns:
    'id bigint NOT NULL, email text NOT NULL, name text NOT NULL, city text, created_at timestamptz NOT NULL, settings jsonb NOT NULL',
  afterwards: ['ALTER TABLE users ADD PRIMARY KEY (id)', 'CREATE UNIQUE INDEX users_email ON users (email)'],
  rowsPer100MB: 38_000,
  row(id, random) {
    const settings = {
      theme: random.int(2) === 0 ? 'dark' : 'light',
      language: ['en', 'fr', 'de', 'es', 'pt'][random.skewed(5)],
      newsletter: random.int(3) === 0,
      topics: [word(random), word(random)],
    }
    const name = `${word(random)} ${word(random)}`
    return `${id}\t${word(random)}.${id}@example.com\t${name}\t${word(random)}\t${moment(id * 40, random)}\t${JSON.stringify(settings)}\n`
  },
}

const orders: Table = {
  name: 'orders',
  columns:
    'id bigint NOT NULL, user_id bigint NOT NULL, state text NOT NULL, total numeric(12,2) NOT NULL, placed_at timestamptz NOT NULL, note text, lines jsonb NOT NULL',
  afterwards: [
    'ALTER TABLE orders ADD PRIMARY KEY (id)',
    'CREATE INDEX orders_user ON orders (user_id, placed_at)',
    'ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id)',
  ],
  rowsPer100MB: 97_000,
  row(id, random) {
    const lines = Array.from({ length: 1 + random.skewed(4) }, () => ({
      sku: `SKU-${1000 + random.skewed(9000)}`,
      title: `${word(random)} ${word(random)}`,
      quantity: 1 + random.skewed(5),
      price: random.int(20_000) / 100,
    }))
    const note = random.int(4) === 0 ? prose(random, 8) : '\\N'
    const user = 1 + random.int(Math.max(1, Math.ceil(id / 3)))
    return `${id}\t${user}\t${states[random.skewed(6)]}\t${random.int(100_000) / 100}\t${moment(id * 20, random)}\t${note}\t${JSON.stringify(lines)}\n`
  },
}

const articles: Table = {
  name: 'articles',
  columns: 'id bigint NOT NULL, title text NOT NULL, body text NOT NULL',
  afterwards: ['ALTER TABLE articles ADD PRIMARY KEY (id)'],
  rowsPer100MB: 15_000,
  row: (id, random) => `${id}\t${prose(random, 5)}\t${prose(random, 160)}\n`,
}

/** Three fifths are what pgbench fills its largest table with, the rest is what a shop keeps. */
export const shop: DataSet = {
  name: 'shop',
  about: 'pgbench accounts (three fifths), users, orders with JSON, texts',
  version: 2,
  tables: [accounts, users, orders, articles],
}

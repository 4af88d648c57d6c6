import type { DataSet, Table } from '#bench/data/data-set'
import { type Random, seededRandom } from '#bench/data/random'
import { prose, word } from '#bench/data/words'

const states = ['new', 'paid', 'packed', 'shipped', 'delivered', 'returned']
const filler = ' '.repeat(84)

/** A moment of the years 2023 to 2026, growing with the id as in a real table. */
const moment = (id: number, random: Random): string =>
  new Date(1_672_531_200_000 + id * 1_700 + random.int(1_000)).toISOString()

const kinds = ['view', 'search', 'add to cart', 'sign in']

interface Product {
  readonly sku: string
  readonly title: string
  readonly price: number
}

const products: readonly Product[] = ((random = seededRandom(7)) =>
  Array.from({ length: 3_000 }, (_, index) => ({
    sku: `SKU-${10_000 + index}`,
    title: `${word(random)} ${word(random)} ${word(random)}`,
    price: random.int(20_000) / 100,
  })))()

const agents: readonly string[] = Array.from({ length: 40 }, (_, index) => {
  const system = ['Windows NT 10.0; Win64; x64', 'Macintosh; Intel Mac OS X 10_15_7', 'X11; Linux x86_64'][index % 3]
  return `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${90 + index}.0.0.0 Safari/537.36`
})

const accounts: Table = {
  name: 'accounts',
  columns: 'aid integer NOT NULL, bid integer, abalance integer, filler character(84)',
  afterwards: ['ALTER TABLE accounts ADD PRIMARY KEY (aid)'],
  rowsPer100MB: 572_000,
  row: (id) => `${id}\t${Math.ceil(id / 100_000)}\t0\t${filler}\n`,
}

const users: Table = {
  name: 'users',
  columns:
    'id bigint NOT NULL, email text NOT NULL, name text NOT NULL, city text, created_at timestamptz NOT NULL, settings jsonb NOT NULL',
  afterwards: ['ALTER TABLE users ADD PRIMARY KEY (id)', 'CREATE UNIQUE INDEX users_email ON users (email)'],
  rowsPer100MB: 44_000,
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
  rowsPer100MB: 66_000,
  row(id, random) {
    const lines = Array.from({ length: 1 + random.skewed(4) }, () => {
      const { sku, title, price } = products[random.skewed(products.length)] as Product
      return { sku, title, price, quantity: 1 + random.skewed(5) }
    })
    const total = lines.reduce((sum, { price, quantity }) => sum + price * quantity, 0).toFixed(2)
    const note = random.int(4) === 0 ? prose(random, 8) : '\\N'
    const user = 1 + random.int(Math.max(1, Math.ceil(id / 3)))
    return `${id}\t${user}\t${states[random.skewed(6)]}\t${total}\t${moment(id * 20, random)}\t${note}\t${JSON.stringify(lines)}\n`
  },
}

const events: Table = {
  name: 'events',
  columns:
    'id bigint NOT NULL, at timestamptz NOT NULL, user_id bigint, address inet NOT NULL, kind text NOT NULL, payload jsonb NOT NULL',
  afterwards: ['ALTER TABLE events ADD PRIMARY KEY (id)', 'CREATE INDEX events_at ON events (at)'],
  rowsPer100MB: 44_000,
  row(id, random) {
    const { sku } = products[random.skewed(products.length)] as Product
    const payload = {
      path: `/products/${sku}`,
      status: random.int(40) === 0 ? 404 : 200,
      milliseconds: 3 + random.skewed(400),
      agent: agents[random.skewed(agents.length)],
    }
    const user = random.int(3) === 0 ? 1 + random.skewed(20_000) : '\\N'
    const address = `${10 + random.skewed(180)}.${random.int(256)}.${random.int(256)}.${random.int(256)}`
    return `${id}\t${moment(id * 30, random)}\t${user}\t${address}\t${kinds[random.skewed(4)]}\t${JSON.stringify(payload)}\n`
  },
}

const articles: Table = {
  name: 'articles',
  columns: 'id bigint NOT NULL, title text NOT NULL, body text NOT NULL',
  afterwards: ['ALTER TABLE articles ADD PRIMARY KEY (id)'],
  rowsPer100MB: 13_200,
  row: (id, random) => `${id}\t${prose(random, 5)}\t${prose(random, 160)}\n`,
}

/** Half of it is what pgbench fills its largest table with, half what a shop keeps. */
export const shop: DataSet = {
  name: 'shop',
  about: 'pgbench accounts (half of it), users, orders and events with JSON, texts',
  version: 3,
  tables: [accounts, users, orders, events, articles],
}

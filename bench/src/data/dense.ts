import type { DataSet, Table } from '#bench/data/data-set'
import type { Random } from '#bench/data/random'
import { prose } from '#bench/data/words'

const uuid = (random: Random): string =>
  random
    .bytes(16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

const sessions: Table = {
  name: 'sessions',
  columns:
    'id uuid NOT NULL, user_id bigint NOT NULL, token text NOT NULL, digest bytea NOT NULL, score double precision',
  afterwards: ['ALTER TABLE sessions ADD PRIMARY KEY (id)', 'CREATE INDEX sessions_user ON sessions (user_id)'],
  rowsPer100MB: 200_000,
  row(_id, random) {
    const token = random.bytes(48).toString('base64url')
    const digest = random.bytes(32).toString('hex')
    return `${uuid(random)}\t${random.int(10_000_000)}\t${token}\t\\\\x${digest}\t${random.int(4_000_000_000) / 1e6}\n`
  },
}

const documents: Table = {
  name: 'documents',
  columns: 'id bigint NOT NULL, title text NOT NULL, thumbnail text NOT NULL, body text NOT NULL',
  afterwards: ['ALTER TABLE documents ADD PRIMARY KEY (id)'],
  rowsPer100MB: 34_000,
  row(id, random) {
    const thumbnail = random.bytes(600).toString('base64')
    return `${id}\t${prose(random, 4)}\t${thumbnail}\t${prose(random, 160)}\n`
  },
}

/** Little that a compressor can do: tokens, digests, identifiers, pictures as base64, some text. */
export const dense: DataSet = {
  name: 'dense',
  about: 'sessions with tokens and digests, documents with base64 pictures and text',
  version: 2,
  tables: [sessions, documents],
}

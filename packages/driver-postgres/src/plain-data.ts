import type { ByteStream } from '@holdfast/core'
import { headingsIn, type PlainObject } from './plain-objects.js'
import { filterScript } from './script-filter.js'

/** Hears of what a plain dump holds, in its order. */
export interface PlainSink {
  /** The statements that follow belong to this object. */
  object(object: PlainObject): void
  /** Any statement but those that only set the session up. */
  statement(sql: string): void
  /** The rows of the COPY that was the last statement, in pieces. */
  rows(bytes: Buffer): void
}

/** `SET …`, and the search path: how pg_dump prepares the session for what comes. It differs between versions. */
const preparation = /^(SET\s|SELECT pg_catalog\.set_config\('search_path')/

/**
 * Reads a plain dump, piece by piece. Ends when the dump does; nothing but the bytes decides what is in it.
 *
 * @returns A stream without bytes of use: each step has read a chunk of the dump.
 */
export async function* readPlain(body: ByteStream, sink: PlainSink): AsyncGenerator<void> {
  const script = filterScript(body, {
    statement(sql) {
      if (!preparation.test(sql)) sink.statement(sql)
      return true
    },
    command: () => true, // the pair that restricts psql, with a key that is drawn anew for each dump
    other(text) {
      for (const object of headingsIn(text)) sink.object(object)
    },
    rows: sink.rows,
  })
  for await (const _ of script) yield
}

/** The OID in `SELECT pg_catalog.lo_open('990001', 131072);`, which begins the content of a large object. */
export function openedObject(sql: string): string | undefined {
  return /^SELECT pg_catalog\.lo_open\('(\d+)'/.exec(sql)?.[1]
}

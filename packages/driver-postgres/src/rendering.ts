import * as z from 'zod'
import type { Session } from './session.js'

/**
 * Settings of server, role or database that show in what pg_dump writes, and that it does not set itself: a timestamp
 * with time zone is dumped in that of the session. Values are the same; their text is not.
 */
const names = ['TimeZone', 'bytea_output', 'lc_monetary', 'quote_all_identifiers', 'search_path', 'xmlbinary']

/** What these settings are for a new session in this database. */
export async function readRendering(session: Session): Promise<Readonly<Record<string, string>>> {
  const rows = await session.query<{ name: string; value: string | null }>(
    'select name, reset_val as value from pg_settings where name = any ($1)',
    [names],
  )
  return Object.fromEntries(rows.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])))
}

/** Those that a manifest tells of. */
export function renderingFrom(options: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const found = z.record(z.string(), z.string()).safeParse(options.rendering).data ?? {}
  return Object.fromEntries(Object.entries(found).filter(([name]) => names.includes(name)))
}

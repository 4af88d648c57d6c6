import { nastyDatabase } from '@holdfast/test-support'

/** What a PostgreSQL older than `since` does not know of the nasty database, and what stands there instead. */
const newer: readonly (readonly [since: number, what: string, instead: string])[] = [
  [14, 'ao nummultirange,', 'ao numrange,'],
  [14, 'aq datemultirange,', 'aq daterange,'],
  [14, "'{[1,2),[5,)}'", "'[5,)'"],
  [14, "'{[2020-01-01,2020-02-01)}'", "'[2020-01-01,2020-02-01)'"],
  [14, "'integer[]', 'Infinity'", "'integer[]', 'NaN'"],
  [14, 'begin atomic select case when i > 0 then i else -i end; end', "as 'select abs(i)'"],
  [15, 'for table parent (id, v), partitioned', 'for table parent, partitioned'],
]

/** The nasty database, for a server of this major version. */
export function nastyFor(major: number): string {
  return newer
    .filter(([since]) => major < since)
    .reduce((text, [, what, instead]) => {
      if (!text.includes(what)) throw new Error(`The nasty database does not hold ${what}`)
      return text.replace(what, instead)
    }, nastyDatabase)
}

/**
 * Comments with a version (`/*!80023 …`) that some servers take for code and others for comments. Below 50700 it is
 * code for every server there is; MariaDB takes 50700 to 99999 for a comment, and `/*M!…` is code for MariaDB alone.
 */
const ambiguous = /\/\*(?:(M)!(\d*)|!(\d{6}|50[7-9]\d\d|5[1-9]\d{3}|[6-9]\d{4}))((?:(?!\*\/)[\s\S])*)(?:\*\/|$)/g

/**
 * Every statement that some server makes of one of a dump: what one server runs must be what was looked at. Quotes are
 * not minded: which ones are open is a question of modes.
 *
 * @returns `undefined` where comments stand within such ones, of which servers find the end in different places, or
 *   where there are more versions than dump programs know.
 */
export function readingsOf(sql: string): ReadonlySet<string> | undefined {
  const found = [...sql.matchAll(ambiguous)]
  if (found.some(([, , , , content = '']) => content.includes('/*'))) return undefined
  const limits = new Set([0, ...found.map(numberOf)])
  if (limits.size > mostVersions) return undefined
  const readings = new Set([sql])
  for (const limit of limits) {
    for (const isMariadb of [false, true]) {
      readings.add(sql.replace(ambiguous, (...match) => (isCode(match, limit, isMariadb) ? match[0] : ' ')))
    }
  }
  return readings
}

const mostVersions = 50

const numberOf = ([, , ofMariadb, ofBoth]: readonly string[]): number => Number(ofMariadb ?? ofBoth ?? 0)

/** For a server of that version and kind. */
function isCode(match: readonly string[], version: number, isMariadb: boolean): boolean {
  const number = numberOf(match)
  if (number > version) return false
  if (match[1] !== undefined) return isMariadb
  return !(isMariadb && number < 100_000)
}

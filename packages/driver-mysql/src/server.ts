/** The two families of servers and programs. */
export type Flavour = 'mysql' | 'mariadb'

/** A server, as it names itself. */
export interface Server {
  readonly flavour: Flavour
  /** As the server says it, for example `10.11.19-MariaDB-0+deb12u1` or `9.7.0`. */
  readonly version: string
  /** Comparable: 10.11.19 is 101119. */
  readonly number: number
}

/** Reads what `version()` and `@@version_comment` say. */
export function serverFrom(version: string, comment: string): Server {
  const flavour = /mariadb/i.test(`${version} ${comment}`) ? 'mariadb' : 'mysql'
  // A MariaDB behind old replication names itself 5.5.5-10.11.19-MariaDB.
  return { flavour, version: version.replace(/^5\.5\.5-/, ''), number: versionNumber(version.replace(/^5\.5\.5-/, '')) }
}

/** 10.11.19 → 101119, 8.4.3 → 80403. */
export function versionNumber(version: string): number {
  const [major = 0, minor = 0, patch = 0] = (/\d+(\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number)
  return major * 10_000 + minor * 100 + patch
}

/** For people: `MariaDB 10.11`, `MySQL 8.4`. */
export function serverName({ flavour, number }: Pick<Server, 'flavour' | 'number'>): string {
  return `${flavour === 'mariadb' ? 'MariaDB' : 'MySQL'} ${Math.floor(number / 10_000)}.${Math.floor(number / 100) % 100}`
}

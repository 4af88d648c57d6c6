import { firstOf } from './first-of.js'
import { type Flavour, type Server, serverName } from './server.js'
import type { Session } from './session.js'

/** A program, as far as it matters here. */
interface Program {
  readonly name: string
  readonly version: string
  readonly number: number
  readonly flavour: Flavour
}

/** From 9.0 on, MySQL's programs have no mysql_native_password any more, which MariaDB asks for. */
const cannotLogInToMariadb = 90_000

/**
 * Why a program cannot stand in for the one of the server's own flavour; `undefined` where it can, which was measured:
 * what a dump program writes without being made for the server may look whole and not be restorable.
 *
 * @param ownColumns - Columns of the dump of which {@link columnsOfItsOwn} speaks.
 */
export function unfitness(
  use: 'dump' | 'client',
  { name, version, number, flavour }: Program,
  server: Server,
  ownColumns: readonly string[],
): string | undefined {
  if (flavour === server.flavour) return undefined
  const program = `${name} ${version}`
  if (server.flavour === 'mariadb') {
    if (number >= cannotLogInToMariadb) return `${program} is MySQL's and cannot log in to MariaDB`
    return use === 'dump' ? `${program} is MySQL's and not made to dump MariaDB` : undefined
  }
  if (use === 'client' || ownColumns.length === 0) return undefined
  return `${program} is MariaDB's, and what it writes for columns that only MySQL knows cannot be restored: ${firstOf(ownColumns, 3)}`
}

/** What to say of a program of the other flavour that is used all the same. */
export function otherFlavourWarnings({ name, version, flavour }: Program, server: Server): readonly string[] {
  if (flavour === server.flavour) return []
  const own = server.flavour === 'mariadb' ? 'mariadb-client' : 'mysql-client'
  return [`${name} ${version} is not made for ${serverName(server)}; it is used because there is no ${own}`]
}

/**
 * Generated columns and vectors of a MySQL database, as `table.column`. MariaDB's dump programs write values for the
 * former, which MySQL refuses (error 3105), and before 11.8 text for the latter.
 */
export async function columnsOfItsOwn(
  session: Session,
  database: string,
  tables: readonly { readonly name: string }[],
): Promise<readonly string[]> {
  if (session.server.flavour === 'mariadb') return []
  const rows = await session.query<{ tab: string; col: string }>(
    `select table_name as tab, column_name as col from information_schema.columns
      where binary table_schema = binary ? and (generation_expression <> '' or data_type = 'vector')
      order by table_name, ordinal_position`,
    [database],
  )
  const names = new Set(tables.map(({ name }) => name))
  return rows.filter(({ tab }) => names.has(tab)).map(({ tab, col }) => `${tab}.${col}`)
}

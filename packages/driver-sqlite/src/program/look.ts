import Database from 'better-sqlite3'
import { pragma, reading } from './open.ts'
import { failure, report } from './words.ts'

/** What a database file says of itself. */
export interface Look {
  /** Of the SQLite that read it. */
  readonly version: string
  readonly encoding: string
  readonly journalMode: string
  readonly sizeBytes: number
  readonly tables: number
  readonly empty: boolean
}

/** The version of SQLite that better-sqlite3 brings. */
export function version(): string {
  const database = new Database(':memory:')
  return database.prepare('select sqlite_version()').pluck().get() as string
}

export function look(path: string): Look {
  return reading(path, (database) => {
    const named = `from pragma_table_list where schema = 'main' and name not like 'sqlite\\_%' escape '\\'`
    const count = (sql: string): number => database.prepare(sql).pluck().get() as number
    return {
      version: version(),
      encoding: pragma(database, 'encoding'),
      journalMode: pragma(database, 'journal_mode'),
      sizeBytes: pragma<number>(database, 'page_count') * pragma<number>(database, 'page_size'),
      tables: count(`select count(*) ${named} and type in ('table', 'virtual')`),
      empty: count(`select count(*) from sqlite_schema where name not like 'sqlite\\_%' escape '\\'`) === 0,
    }
  })
}

/**
 * Reads every page of a file and compares tables with their indexes.
 *
 * @throws `DAMAGED`, with what SQLite found.
 */
export function check(path: string): void {
  const problems = reading(path, problemsOf)
  if (problems.length > 0) throw failure('DAMAGED', `integrity_check found: ${problems.join('; ')}`)
}

function problemsOf(database: Database.Database): readonly string[] {
  try {
    const found = database.pragma('integrity_check(5)') as readonly { readonly integrity_check: string }[]
    return found.map((row) => row.integrity_check).filter((line) => line !== 'ok')
  } catch (error) {
    // A schema can use functions, collations and modules that only its own application has.
    const { message } = error as Error
    if (!/unknown function|no such (function|collation|module)/.test(message)) throw error
    report('warning', { message: `The integrity of the copy could not be checked: ${message}` })
    return []
  }
}

import Database from 'better-sqlite3'
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

/** Milliseconds to wait for a lock of another program. */
const busyTimeoutMs = 30_000

/**
 * Opens a file for reading. Where a program was killed in the middle of a transaction, SQLite has to write before it
 * can read: then, and only then, the file is opened for writing.
 */
export function open(path: string): Database.Database {
  try {
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs })
    database.pragma('schema_version')
    return database
  } catch (error) {
    if (!/^SQLITE_(READONLY|CANTOPEN)/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
    return new Database(path, { fileMustExist: true, timeout: busyTimeoutMs })
  }
}

/** Opens a file for reading, for as long as `use` takes. */
export function reading<T>(path: string, use: (database: Database.Database) => T): T {
  const database = open(path)
  try {
    return use(database)
  } finally {
    database.close()
  }
}

/** The value of a pragma that has one. */
export function pragma<T extends string | number>(database: Database.Database, name: string): T {
  return database.pragma(name, { simple: true }) as T
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

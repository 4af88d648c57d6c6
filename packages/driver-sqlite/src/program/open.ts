import Database from 'better-sqlite3'

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

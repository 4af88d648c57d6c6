import { createHash } from 'node:crypto'
import { type AsideKind, asideName, type NameLength, readAsideName } from '@holdfast/core'

/** Names of MySQL and MariaDB have at most 64 characters, whatever bytes those are. */
const maxLength = 64
const characters: NameLength = (name) => [...name].length

/** Name for a schema beside a database: what is being filled there, or what was there before a restore. */
export function nameBeside(database: string, kind: AsideKind, at: Date, isTaken: (name: string) => boolean): string {
  return asideName(database, kind, at, maxLength, isTaken, characters)
}

/** Reads a name of {@link nameBeside}; `undefined` for any other. */
export function readNameBeside(name: string, database: string): ReturnType<typeof readAsideName> {
  return readAsideName(name, database, maxLength, characters)
}

/** The server's lock that says: somebody restores into this database. */
export function lockName(database: string): string {
  return `holdfast:${createHash('sha256').update(database).digest('hex').slice(0, 40)}`
}

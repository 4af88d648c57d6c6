import { createHash } from 'node:crypto'

/** Most characters of a name in MySQL and MariaDB. */
const maxNameLength = 64

/** `base` and `suffix` within the characters that a name may have: the base is cut. */
function nameBeside(base: string, suffix: string): string {
  return [...base].slice(0, maxNameLength - suffix.length).join('') + suffix
}

/** The id of what is put aside at a time: its Unix seconds, as eight hexadecimal digits. */
export function idAt(time: Date): string {
  return Math.floor(time.getTime() / 1000)
    .toString(16)
    .padStart(8, '0')
}

/** When the thing of that name was put aside, or begun. */
export function timeOfName(name: string): Date {
  return new Date(Number.parseInt(name.slice(-8), 16) * 1000)
}

/** What is being filled beside a database. */
export const scratchName = (database: string, id: string): string => nameBeside(database, `__holdfast_${id}`)
/** What was there before a restore. */
export const beforeName = (database: string, id: string): string => nameBeside(database, `__before_${id}`)

/** The server's lock that says: somebody restores into this database. */
export function lockName(database: string): string {
  return `holdfast:${createHash('sha256').update(database).digest('hex').slice(0, 40)}`
}

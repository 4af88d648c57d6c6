import type { AsideDatabase } from './driver.js'

/** What kind of database stands beside another: a scratch, or one that was replaced. */
export type AsideKind = AsideDatabase['kind']

/** How long a name is, as its server counts. */
export type NameLength = (name: string) => number

const bytes: NameLength = (name) => Buffer.byteLength(name)

/** What an {@link AsideKind} adds to the name of the database it belongs to; the id follows. */
const infixes: Readonly<Record<AsideKind, string>> = { unfinished: '__holdfast_', replaced: '__before_' }

/**
 * Name for a database beside another one: `shop__holdfast_6920a1b2`, `shop__before_6920a1b2`. The id is the time, as
 * eight hexadecimal digits of Unix seconds; on a clash the next that is free.
 *
 * @param maxLength - Of a name on the server. The base is cut to it, never within a character.
 * @param lengthOf - What the server counts. Default: bytes of UTF-8.
 */
export function asideName(
  database: string,
  kind: AsideKind,
  at: Date,
  maxLength: number,
  isTaken: (name: string) => boolean,
  lengthOf: NameLength = bytes,
): string {
  const prefix = asidePrefix(database, kind, maxLength, lengthOf)
  for (let seconds = Math.floor(at.getTime() / 1000); ; seconds++) {
    const name = prefix + seconds.toString(16).padStart(8, '0')
    if (!isTaken(name)) return name
  }
}

/** What every name of {@link asideName} for this database and kind begins with. */
export function asidePrefix(
  database: string,
  kind: AsideKind,
  maxLength: number,
  lengthOf: NameLength = bytes,
): string {
  const room = maxLength - infixes[kind].length - 8
  const characters = [...database]
  while (lengthOf(characters.join('')) > room) characters.pop()
  return characters.join('') + infixes[kind]
}

/** Reads a name of {@link asideName}; `undefined` for any other. */
export function readAsideName(
  name: string,
  database: string,
  maxLength: number,
  lengthOf: NameLength = bytes,
): { readonly kind: AsideKind; readonly since: Date } | undefined {
  for (const kind of ['replaced', 'unfinished'] as const) {
    const prefix = asidePrefix(database, kind, maxLength, lengthOf)
    const id = name.startsWith(prefix) ? name.slice(prefix.length) : ''
    if (/^[0-9a-f]{8}$/.test(id)) return { kind, since: new Date(Number.parseInt(id, 16) * 1000) }
  }
  return undefined
}

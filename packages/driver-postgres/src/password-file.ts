import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { messageOf, type RunContext, Secret } from '@holdfast/core'
import type { Connection, Endpoint } from './connection.js'

/**
 * The password that libpq would take from the passfile of the user, for `pg`, whose own reading of that file is
 * deprecated and says so on the standard error of whoever uses this library.
 *
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export function passwordFromFile(connection: Connection, endpoint: Endpoint, ctx: RunContext): Secret | undefined {
  const path = connection.keywords.passfile ?? defaultPath()
  const text = readPrivately(path, ctx)
  const wanted = [hostOf(endpoint), String(endpoint.port), connection.database, connection.user]
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    const fields = fieldsOf(line)
    const password = unescaped(fields[wanted.length] ?? '')
    const fits = wanted.every((value, at) => fields[at] === '*' || unescaped(fields[at] ?? '') === value)
    // The first line that fits counts, also one without a password.
    if (fields.length > wanted.length && fits) return password === '' ? undefined : new Secret(password)
  }
  return undefined
}

function defaultPath(): string {
  const { APPDATA } = process.env
  if (process.platform === 'win32') return join(APPDATA ?? '.', 'postgresql', 'pgpass.conf')
  return join(homedir(), '.pgpass')
}

/** libpq passes over a file that others may read; so does this, for the programs would not use it either. */
function readPrivately(path: string, ctx: RunContext): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isFile()) return ''
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    ctx.log.warn(`The passfile ${path} is not used, because others may read it: chmod 0600 ${path}`)
    return ''
  }
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    ctx.log.warn(`The passfile ${path} cannot be read: ${messageOf(error)}`)
    return ''
  }
}

/** A socket in its usual directory goes by `localhost`. */
const hostOf = ({ host }: Endpoint): string => (/^\/(var\/run\/postgresql|tmp)\/?$/.test(host) ? 'localhost' : host)

/** The fields of a line, as they stand there: a password, too, ends at a colon that is not escaped. */
function fieldsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?<=^|:)((?:\\.|[^:])*)(?=:|$)/g)].map(([field]) => field)
}

const unescaped = (field: string): string => field.replace(/\\(.)/g, '$1')

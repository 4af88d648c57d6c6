import { BackupError, percentDecoded } from '@holdfast/core'

/** What a connection URL says, decoded. */
export interface UrlParts {
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: string
  readonly database?: string
  readonly socket?: string
  readonly sslmode?: string
  readonly sslca?: string
  readonly sslcert?: string
  readonly sslkey?: string
}

const shape =
  /^(?:mysql|mariadb):\/\/(?:(?<userinfo>[^/?#]*)@)?(?<host>\[[^\]]*\]|[^/?#:@]*)(?::(?<port>\d*))?(?:\/(?<database>[^?#]*))?(?:\?(?<query>[^#]*))?$/s

/** The same setting under the names that other programs give it. */
const names: Readonly<Record<string, keyof UrlParts>> = {
  socket: 'socket',
  socketpath: 'socket',
  unix_socket: 'socket',
  sslmode: 'sslmode',
  'ssl-mode': 'sslmode',
  ssl_mode: 'sslmode',
  sslca: 'sslca',
  'ssl-ca': 'sslca',
  sslcert: 'sslcert',
  'ssl-cert': 'sslcert',
  sslkey: 'sslkey',
  'ssl-key': 'sslkey',
}

/** Parameters that other libraries put into their URLs, and that change nothing here. */
const ignored = new Set([
  ...['charset', 'collation', 'timezone', 'serverversion', 'connection_limit', 'connectionlimit', 'pool_timeout'],
  ...['allowpublickeyretrieval', 'connect_timeout', 'multiplestatements', 'pool', 'reconnect', 'schema'],
])

/**
 * Reads `mysql://user:password@host:port/database?sslmode=require`.
 *
 * @throws {BackupError} `config-invalid`; the message never holds the URL, which may hold a password.
 */
export function parseConnectionUrl(url: string): UrlParts {
  const parts = shape.exec(url.trim())?.groups
  if (!parts) throw invalidUrl('it is not of the form mysql://user:password@host:port/database')
  const { userinfo = '', host = '', port, database, query = '' } = parts
  const colon = userinfo.indexOf(':')
  const user = decode(colon < 0 ? userinfo : userinfo.slice(0, colon))
  const password = colon < 0 ? '' : decode(userinfo.slice(colon + 1))
  return {
    ...(host ? { host: decode(host.replace(/^\[|\]$/g, '')) } : {}),
    ...(port ? { port: Number(port) } : {}),
    ...(user ? { user } : {}),
    ...(password ? { password } : {}),
    ...(database ? { database: decode(database) } : {}),
    ...readQuery(query),
  }
}

function readQuery(query: string): UrlParts {
  const parts: Record<string, string> = {}
  for (const pair of query.split('&').filter(Boolean)) {
    const [key = '', ...rest] = pair.split('=')
    const name = decode(key).toLowerCase()
    const value = decode(rest.join('='))
    const known = names[name]
    if (known) parts[known] = known === 'sslmode' ? sslModeOf(value) : value
    else if (name === 'ssl' || name === 'usessl') parts.sslmode = /^(0|false)$/i.test(value) ? 'disable' : 'require'
    else if (!ignored.has(name)) throw invalidUrl(`the parameter ${JSON.stringify(name)} is not known`)
  }
  return parts
}

/** The names of MySQL (`VERIFY_IDENTITY`) and of libpq (`verify-full`) are taken too. */
function sslModeOf(value: string): string {
  const mode = value.toLowerCase().replaceAll('_', '-')
  const same: Readonly<Record<string, string>> = {
    disabled: 'disable',
    preferred: 'prefer',
    required: 'require',
    'verify-full': 'verify-identity',
  }
  return same[mode] ?? mode
}

function decode(text: string): string {
  const decoded = percentDecoded(text)
  if (decoded === undefined) throw invalidUrl('it holds a wrong percent-encoding: write % as %25')
  return decoded
}

function invalidUrl(why: string): BackupError {
  return new BackupError('config-invalid', {
    message: `The MySQL URL cannot be read: ${why}`,
    hint: 'Percent-encode what is special in user, password and database: @ as %40, / as %2F, # as %23, ? as %3F, : as %3A.',
  })
}

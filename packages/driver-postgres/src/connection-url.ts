import { BackupError, percentDecoded } from '@holdfast/core'

/** What a connection URL says: libpq's keywords and their values, decoded. */
export type ConnectionKeywords = Readonly<Record<string, string>>

const shape =
  /^(?:postgres|postgresql):\/\/(?:(?<userinfo>[^/?#]*)@)?(?<hosts>[^/?@]*)(?:\/(?<database>[^?]*))?(?:\?(?<query>.*))?$/s

/** Keywords of libpq that change nothing here, and ones that other libraries put into their URLs. */
const ignored = new Set([
  'client_encoding',
  'fallback_application_name',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'replication',
  'schema',
  'pgbouncer',
  'connection_limit',
  'pool_timeout',
  'statement_cache_size',
  'uselibpqcompat',
])

/**
 * Reads `postgres://user:password@host:port,host:port/database?keyword=value` as libpq does.
 * Not by `URL`, which knows neither several hosts nor sockets.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 * @throws {BackupError} `config-invalid`; the message never holds the URL, which may hold a password.
 */
export function parseConnectionUrl(url: string): ConnectionKeywords {
  const parts = shape.exec(url.trim())?.groups
  if (!parts) throw invalidUrl('it is not of the form postgres://user:password@host:port/database')
  const { userinfo, hosts, database, query } = parts
  return {
    ...readUserinfo(userinfo),
    ...readHosts(hosts ?? ''),
    ...(database ? { dbname: decode(database) } : {}),
    ...readQuery(query ?? ''),
  }
}

function readUserinfo(userinfo: string | undefined): ConnectionKeywords {
  if (!userinfo) return {}
  const colon = userinfo.indexOf(':')
  if (colon < 0) return { user: decode(userinfo) }
  const [user, password] = [decode(userinfo.slice(0, colon)), decode(userinfo.slice(colon + 1))]
  return { ...(user ? { user } : {}), ...(password ? { password } : {}) }
}

function readHosts(hosts: string): ConnectionKeywords {
  if (hosts === '') return {}
  const each = hosts.split(',').map((entry) => {
    const match = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^:]*))(?::(?<port>\d*))?$/.exec(entry)?.groups
    if (!match) throw invalidUrl('a host is written as name, address, [IPv6 address] or %2Fdirectory, then :port')
    return { host: decode(match.v6 ?? match.name ?? ''), port: match.port ?? '' }
  })
  const ports = each.map(({ port }) => port).join(',')
  return { host: each.map(({ host }) => host).join(','), ...(/\d/.test(ports) ? { port: ports } : {}) }
}

function readQuery(query: string): ConnectionKeywords {
  const keywords: Record<string, string> = {}
  for (const pair of query.split('&').filter(Boolean)) {
    const equals = pair.indexOf('=')
    if (equals < 0) throw invalidUrl(`the parameter ${JSON.stringify(pair)} has no value`)
    const [name, value] = [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
    if (name === 'ssl') keywords.sslmode = value === 'false' || value === '0' ? 'disable' : 'require'
    else if (name === 'sslmode' && value === 'no-verify') keywords[name] = 'require'
    else if (!ignored.has(name)) keywords[name] = value
  }
  return keywords
}

function decode(text: string): string {
  const decoded = percentDecoded(text)
  if (decoded === undefined) throw invalidUrl('it holds a wrong percent-encoding: write % as %25')
  return decoded
}

function invalidUrl(why: string): BackupError {
  return new BackupError('config-invalid', {
    message: `The PostgreSQL URL cannot be read: ${why}`,
    hint: 'Percent-encode what is special in user, password and database: @ as %40, / as %2F, # as %23, ? as %3F.',
  })
}

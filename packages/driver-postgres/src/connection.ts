import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { BackupError, Secret } from '@holdfast/core'
import { type ConnectionKeywords, parseConnectionUrl } from './connection-url.js'
import type { PostgresSettings, SslMode } from './options.js'
import { readService } from './service-file.js'

/** One server that may be connected to. */
export interface Endpoint {
  /** Name, address, or directory of the unix socket. */
  readonly host: string
  readonly port: number
  /** Address to connect to, where the name only serves for certificates. */
  readonly hostaddr?: string
}

/** Where a database is, and how to get in. The same for `pg` and for the client programs. */
export interface Connection {
  /** Tried in order. */
  readonly endpoints: readonly [Endpoint, ...Endpoint[]]
  readonly user: string
  readonly password: Secret | undefined
  readonly database: string
  readonly sslmode: SslMode
  readonly targetSessionAttrs: string
  readonly connectTimeoutMs: number
  /** What the client programs call themselves. Default: `holdfast`. */
  readonly applicationName?: string
  /** Further keywords of libpq. */
  readonly keywords: ConnectionKeywords
}

/** Keywords that libpq takes from these variables, besides those that a {@link Connection} names. */
const environmentNames: Readonly<Record<string, string>> = {
  passfile: 'PGPASSFILE',
  options: 'PGOPTIONS',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslrootcert: 'PGSSLROOTCERT',
  sslcrl: 'PGSSLCRL',
  sslcrldir: 'PGSSLCRLDIR',
  sslsni: 'PGSSLSNI',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  ssl_max_protocol_version: 'PGSSLMAXPROTOCOLVERSION',
  requirepeer: 'PGREQUIREPEER',
  require_auth: 'PGREQUIREAUTH',
  gssencmode: 'PGGSSENCMODE',
  krbsrvname: 'PGKRBSRVNAME',
  channel_binding: 'PGCHANNELBINDING',
}
const ownKeywords = new Set([
  ...['host', 'hostaddr', 'port', 'user', 'password', 'dbname', 'sslmode', 'service'],
  ...['target_session_attrs', 'connect_timeout', 'application_name', 'load_balance_hosts'],
])
const sslModes: readonly string[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/**
 * Reads the connection out of the options: single options win over the URL, the URL over the service.
 *
 * @throws {BackupError} `config-invalid`.
 */
export function connectionFrom(settings: PostgresSettings): Connection {
  const given = { ...(settings.url ? parseConnectionUrl(settings.url.reveal()) : {}), ...keywordsOf(settings) }
  const service = given.service
  const keywords: ConnectionKeywords = { ...(service ? readService(service) : {}), ...given }
  const user = keywords.user ?? userInfo().username
  const password = keywords.password ?? process.env.PGPASSWORD
  const passfile = process.env.PGPASSFILE
  return {
    endpoints: endpointsOf(keywords),
    user,
    password: password ? new Secret(password) : undefined,
    database: keywords.dbname ?? user,
    sslmode: sslModeOf(keywords.sslmode ?? 'prefer'),
    targetSessionAttrs: keywords.target_session_attrs ?? 'any',
    connectTimeoutMs: settings.connectTimeout ?? (Number(keywords.connect_timeout) || 15) * 1000,
    keywords: { ...(passfile ? { passfile } : {}), ...furtherKeywords(keywords) },
  }
}

/** The same server and user, another database. */
export function toDatabase(connection: Connection, database: string): Connection {
  return { ...connection, database }
}

/** What may be shown: host, port and database. */
export function displayOf({ endpoints, database }: Connection): string {
  const hosts = endpoints.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`))
  return `${hosts.join(',')}/${database}`
}

/**
 * What libpq needs to know, as environment. The database's name goes this way and no other: as an argument, one that
 * holds `=` would be read as a connection string, and could send the password elsewhere.
 */
export function libpqEnvironment(connection: Connection, endpoint: Endpoint): Record<string, string> {
  const further = Object.entries(connection.keywords).flatMap(([keyword, value]) => {
    const name = environmentNames[keyword]
    return name ? [[name, value]] : []
  })
  return {
    ...Object.fromEntries(further),
    PGHOST: endpoint.host,
    ...(endpoint.hostaddr ? { PGHOSTADDR: endpoint.hostaddr } : {}),
    PGPORT: String(endpoint.port),
    PGUSER: connection.user,
    PGDATABASE: connection.database,
    PGSSLMODE: connection.sslmode,
    PGCONNECT_TIMEOUT: String(Math.max(2, Math.ceil(connection.connectTimeoutMs / 1000))),
    PGAPPNAME: connection.applicationName ?? 'holdfast',
  }
}

function keywordsOf(settings: PostgresSettings): ConnectionKeywords {
  const { host, port, user, database, sslmode, sslrootcert, sslcert, sslkey, service } = settings
  const pairs = {
    ...{ host, port: port?.toString(), user, password: settings.password?.reveal(), dbname: database },
    ...{ sslmode, sslrootcert, sslcert, sslkey, service },
  }
  return Object.fromEntries(Object.entries(pairs).filter((pair): pair is [string, string] => pair[1] !== undefined))
}

function furtherKeywords(keywords: ConnectionKeywords): ConnectionKeywords {
  const further = Object.entries(keywords).filter(([keyword]) => !ownKeywords.has(keyword))
  const unknown = further.find(([keyword]) => environmentNames[keyword] === undefined)
  if (!unknown) return Object.fromEntries(further)
  throw new BackupError('config-invalid', {
    message: `The PostgreSQL connection has a parameter ${JSON.stringify(unknown[0])} that is not known`,
    hint: `Known are ${[...ownKeywords, ...Object.keys(environmentNames)].join(', ')}.`,
  })
}

function endpointsOf(keywords: ConnectionKeywords): readonly [Endpoint, ...Endpoint[]] {
  const hosts = (keywords.host ?? '').split(',')
  const addresses = (keywords.hostaddr ?? '').split(',')
  const ports = (keywords.port ?? '').split(',')
  const count = Math.max(hosts.length, addresses.length)
  if (ports.length !== 1 && ports.length !== count) {
    throw new BackupError('config-invalid', {
      message: `The PostgreSQL connection has ${ports.length} ports for ${count} hosts`,
      hint: 'Give one port for all of the hosts, or one for each.',
    })
  }
  const at = (index: number): Endpoint => {
    const hostaddr = addresses[index]
    const port = Number((ports.length === 1 ? ports[0] : ports[index]) || 5432)
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new BackupError('config-invalid', {
        message: 'A port of the PostgreSQL connection is not a number from 1 to 65535',
        hint: 'Correct it in the URL, the service file or the option port.',
      })
    }
    return { host: hosts[index] || hostaddr || defaultHost(), port, ...(hostaddr ? { hostaddr } : {}) }
  }
  return [at(0), ...Array.from({ length: count - 1 }, (_, index) => at(index + 1))]
}

function defaultHost(): string {
  return ['/var/run/postgresql', '/tmp'].find((path) => existsSync(`${path}/.s.PGSQL.5432`)) ?? 'localhost'
}

function sslModeOf(text: string): SslMode {
  if (sslModes.includes(text)) return text as SslMode
  throw new BackupError('config-invalid', {
    message: `The sslmode ${JSON.stringify(text)} is not known`,
    hint: `Choose one of ${sslModes.join(', ')}.`,
  })
}

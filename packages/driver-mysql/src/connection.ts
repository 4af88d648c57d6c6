import { userInfo } from 'node:os'
import { BackupError, Secret } from '@holdfast/core'
import { parseConnectionUrl, type UrlParts } from './connection-url.js'
import type { MysqlSettings, SslMode } from './options.js'
import { quoteOptionValue } from './quoting.js'

/** Where a database is, and how to get in. The same for `mysql2` and for the client programs. */
export interface Connection {
  readonly host: string
  readonly port: number
  readonly socket: string | undefined
  readonly user: string
  readonly password: Secret | undefined
  /** Empty for a connection that names none, and so is of no use but to read dumps. */
  readonly database: string
  readonly sslmode: SslMode
  readonly sslca: string | undefined
  readonly sslcert: string | undefined
  readonly sslkey: string | undefined
  readonly connectTimeoutMs: number
  /** How long a statement waits for a lock on a table. */
  readonly lockSeconds: number
}

const sslModes: readonly string[] = ['disable', 'prefer', 'require', 'verify-ca', 'verify-identity']

/**
 * Reads the connection out of the options: single options win over the URL, and the URL over `MYSQL_PWD`, which the
 * client programs read too.
 *
 * @throws {BackupError} `config-invalid`.
 */
export function connectionFrom(settings: MysqlSettings): Connection {
  const url: UrlParts = settings.url ? parseConnectionUrl(settings.url.reveal()) : {}
  const port = settings.port ?? url.port ?? 3306
  if (port < 1 || port > 65_535) {
    throw new BackupError('config-invalid', { message: 'The port of the MySQL connection is not from 1 to 65535' })
  }
  const sslmode = settings.sslmode ?? url.sslmode ?? 'prefer'
  if (!isSslMode(sslmode)) {
    throw new BackupError('config-invalid', {
      message: `The sslmode ${JSON.stringify(sslmode)} is not known`,
      hint: `Choose one of ${sslModes.join(', ')}.`,
    })
  }
  return {
    host: settings.host ?? url.host ?? 'localhost',
    port,
    socket: settings.socket ?? url.socket,
    user: settings.user ?? url.user ?? userInfo().username,
    password: settings.password ?? secretOf(url.password) ?? secretOf(process.env.MYSQL_PWD),
    database: settings.database ?? url.database ?? '',
    sslmode,
    sslca: settings.sslca ?? url.sslca,
    sslcert: settings.sslcert ?? url.sslcert,
    sslkey: settings.sslkey ?? url.sslkey,
    connectTimeoutMs: settings.connectTimeout ?? 15_000,
    lockSeconds: Math.max(1, Math.ceil((settings.lockTimeout ?? 60_000) / 1000)),
  }
}

function secretOf(text: string | undefined): Secret | undefined {
  return text ? new Secret(text) : undefined
}

function isSslMode(text: string): text is SslMode {
  return sslModes.includes(text)
}

/** The same server and user, another database. */
export function toDatabase(connection: Connection, database: string): Connection {
  return { ...connection, database }
}

/** What may be shown: where the server is, and the database. */
export function displayOf({ host, port, socket, database }: Connection): string {
  if (socket) return `${socket}/${database}`
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`
}

/**
 * What the client programs need to know, as an option file: neither arguments nor environment hold the password, and
 * the names of user and database cannot pose as options.
 *
 * @param isMariadb - Whether the programs are those of MariaDB, which call the settings of TLS otherwise.
 */
export function optionFile(connection: Connection, isMariadb: boolean, withDatabase: boolean): string {
  const { host, port, socket, user, password, database } = connection
  const values: readonly (readonly [string, string | undefined])[] = [
    ['user', user],
    ['password', password?.reveal() ?? ''],
    ...(socket
      ? ([['socket', socket]] as const)
      : ([
          ['host', host],
          ['port', String(port)],
          ['protocol', 'tcp'],
        ] as const)),
    ['ssl-ca', connection.sslca],
    ['ssl-cert', connection.sslcert],
    ['ssl-key', connection.sslkey],
  ]
  const lines = values.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoteOptionValue(value)}`]))
  const group = ['[client]', ...lines, ...(isMariadb ? mariadbTls(connection) : mysqlTls(connection))]
  return `${[...group, ...(withDatabase ? ['[mysql]', `database=${quoteOptionValue(database)}`] : [])].join('\n')}\n`
}

/** MariaDB's programs verify the whole identity or nothing; from 11.4 on they do so unless they are told not to. */
function mariadbTls({ sslmode }: Connection): readonly string[] {
  if (sslmode === 'disable') return ['skip-ssl']
  if (sslmode === 'prefer') return ['disable-ssl-verify-server-cert']
  return ['ssl', sslmode === 'require' ? 'disable-ssl-verify-server-cert' : 'ssl-verify-server-cert']
}

function mysqlTls({ sslmode }: Connection): readonly string[] {
  const modes: Readonly<Record<SslMode, string>> = {
    disable: 'DISABLED',
    prefer: 'PREFERRED',
    require: 'REQUIRED',
    'verify-ca': 'VERIFY_CA',
    'verify-identity': 'VERIFY_IDENTITY',
  }
  return [`ssl-mode=${modes[sslmode]}`, ...(sslmode === 'disable' ? ['loose-get-server-public-key'] : [])]
}

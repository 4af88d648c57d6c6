import { readFileSync } from 'node:fs'
import { BackupError, isBackupError, type RunContext } from '@holdfast/core'
import type { Connection as Client, ConnectionOptions } from 'mysql2/promise'
import { type Connection, displayOf } from './connection.js'
import { databaseError } from './errors.js'
import { type Server, serverFrom } from './server.js'

type QueryValues = Parameters<Client['query']>[1]
type Row = Readonly<Record<string, unknown>>

/** A connection of ours, for questions and for statements about schemas; dumps have connections of their own. */
export interface Session extends AsyncDisposable {
  readonly server: Server
  /** The server's number of this connection. */
  readonly id: number
  /** How many rows a statement of this user gets at most, unless it asks for more; absent where it gets all. */
  readonly rowLimit?: string
  /**
   * Rethrows `ctx.signal.reason` on abort, which also closes the connection.
   *
   * @throws {BackupError} as `databaseError` reads the server's error.
   */
  query<R extends Row = Row>(text: string, values?: readonly unknown[]): Promise<R[]>
}

/** The value of `sql_select_limit` that limits nothing. */
const allRows = '18446744073709551615'

/**
 * For `SET`: all rows, and as much time as it takes, whatever the server is set to give everybody. The names of MariaDB
 * and MySQL for the time differ; each takes that of the other for a comment.
 *
 * @see statement-readings.ts
 */
export const boundless: string = `session sql_select_limit = ${allRows} /*M!100101 , session max_statement_time = 0 */ /*!50708 , session max_execution_time = 0 */`

/** Which database a session begins in. */
type Within = 'database' | 'none'

/**
 * Connects.
 *
 * @throws {BackupError} `source-unreachable` (retryable), `source-denied`, `source-missing`.
 */
export async function openSession(
  connection: Connection,
  ctx: RunContext,
  within: Within = 'database',
): Promise<Session> {
  ctx.signal.throwIfAborted()
  let client: Client
  try {
    client = await connect(connection, within)
  } catch (error) {
    ctx.signal.throwIfAborted()
    throw databaseError(error, `Connecting to ${displayOf(connection)} failed`)
  }
  client.on('error', () => {}) // whoever uses the connection next is told
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => {}) // whoever asks something sees it
  const onAbort = (): void => {
    cutOff(client)
    stopped.reject(ctx.signal.reason)
  }
  ctx.signal.addEventListener('abort', onAbort, { once: true })
  const close = async (): Promise<void> => {
    ctx.signal.removeEventListener('abort', onAbort)
    if (ctx.signal.aborted) return cutOff(client)
    await client.end().catch(() => cutOff(client))
  }
  const query = async <R extends Row>(text: string, values?: readonly unknown[]): Promise<R[]> => {
    ctx.signal.throwIfAborted()
    try {
      const [rows] = await Promise.race([client.query(text, values as QueryValues), stopped.promise])
      return (Array.isArray(rows) ? rows : []) as R[]
    } catch (error) {
      ctx.signal.throwIfAborted()
      throw databaseError(error, `A statement failed on ${displayOf(connection)}`)
    }
  }
  try {
    // Names and texts as they are, whatever mode the server is set to; time zones and modes as those of the programs.
    // Whoever waits for a lock keeps others waiting behind it, so nothing here waits for ever.
    await query(
      `set @holdfast_rows = cast(@@sql_select_limit as char), ${boundless},
           session sql_mode = '', session sql_quote_show_create = 1, session wait_timeout = 604800,
           session net_write_timeout = 3600, session lock_wait_timeout = ${connection.lockSeconds}`,
    )
    const [row] = await query<{ version: string; comment: string; id: number; rowLimit: string }>(
      'select version() as version, @@version_comment as comment, connection_id() as id, @holdfast_rows as rowLimit',
    )
    const { version = '', comment = '', id = 0, rowLimit = allRows } = row ?? {}
    const limited = rowLimit === allRows ? {} : { rowLimit }
    return { server: serverFrom(version, comment), id, ...limited, query, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** What `mysql2` calls destroying ends our half of the connection alone: the answer to a statement would still come. */
function cutOff(client: Client): void {
  client.destroy()
  const { connection } = client as unknown as { readonly connection?: { readonly stream?: { destroy(): void } } }
  connection?.stream?.destroy()
}

/** Runs `use` with a session that is closed afterwards. */
export async function withSession<T>(
  connection: Connection,
  ctx: RunContext,
  use: (session: Session) => Promise<T>,
  within: Within = 'database',
): Promise<T> {
  await using session = await openSession(connection, ctx, within)
  return await use(session)
}

/** Whether a database is there. */
export async function schemaExists(session: Session, name: string): Promise<boolean> {
  const rows = await session.query(
    'select 1 as found from information_schema.schemata where binary schema_name = binary ?',
    [name],
  )
  return rows.length > 0
}

/** @throws {BackupError} `source-missing` where a session in the database cannot be had because it is not there. */
export function isMissing(error: unknown): boolean {
  return isBackupError(error, 'source-missing')
}

async function connect(connection: Connection, within: Within): Promise<Client> {
  const { createConnection } = await import('mysql2/promise') // here, so that importing the driver costs nothing
  const attempts = connection.sslmode === 'prefer' && !connection.socket ? [true, false] : [usesTls(connection)]
  for (const [index, tls] of attempts.entries()) {
    try {
      return await createConnection(optionsOf(connection, within, tls))
    } catch (error) {
      const noTls = error instanceof Error && 'code' in error && error.code === 'HANDSHAKE_NO_SSL_SUPPORT'
      if (!noTls || index === attempts.length - 1) throw error
    }
  }
  throw new BackupError('internal', { message: 'There was no way to connect to try' })
}

const usesTls = ({ sslmode, socket }: Connection): boolean => sslmode !== 'disable' && sslmode !== 'prefer' && !socket

function optionsOf(connection: Connection, within: Within, tls: boolean): ConnectionOptions {
  const { host, port, socket, user, password, database, connectTimeoutMs } = connection
  return {
    ...(socket ? { socketPath: socket } : { host, port }),
    user,
    password: password?.reveal() ?? '',
    ...(within === 'database' ? { database } : {}),
    charset: 'utf8mb4',
    connectTimeout: connectTimeoutMs,
    dateStrings: true,
    supportBigNumbers: true,
    typeCast: (field, next) => {
      if (field.type === 'JSON') return field.string()
      if (field.type === 'NEWDECIMAL' || field.type === 'DECIMAL') return field.string()
      return next()
    },
    ...(tls ? { ssl: tlsOptions(connection) } : {}),
  }
}

function tlsOptions({ sslmode, sslca, sslcert, sslkey }: Connection): NonNullable<ConnectionOptions['ssl']> {
  const verifies = sslmode === 'verify-ca' || sslmode === 'verify-identity'
  const read = (name: string, path: string | undefined): object =>
    path === undefined ? {} : { [name]: readCertificate(path) }
  return {
    ...(typeof sslca === 'string' ? read('ca', sslca) : {}),
    ...read('cert', sslcert),
    ...read('key', sslkey),
    rejectUnauthorized: verifies,
    verifyIdentity: sslmode === 'verify-identity',
  } as NonNullable<ConnectionOptions['ssl']>
}

function readCertificate(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new BackupError('config-invalid', {
      message: `The certificate ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    })
  }
}

import { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { BackupError, type RunContext } from '@holdfast/core'
import type { Client } from 'pg'
import { type Connection, displayOf, type Endpoint, toDatabase } from './connection.js'
import { codeOf, databaseError } from './errors.js'
import { passwordFromFile } from './password-file.js'
import { isInState, wantedStates } from './server-state.js'
import { tlsAttempts } from './tls.js'
import { untilAborted } from './until-aborted.js'
import { isWithoutTls, rememberWithoutTls, saysNoTls } from './without-tls.js'

/** A row as the server sent it. Ask for `::text` or `::float8` where JavaScript has no better type. */
type Row = Record<string, unknown>

/** A connection of ours, for questions and for statements about databases; dumps have connections of their own. */
export interface Session extends AsyncDisposable {
  /** The server that answered: the programs are sent to the same one. */
  readonly endpoint: Endpoint
  /** For example 150020. */
  readonly versionNumber: number
  /**
   * Rethrows `ctx.signal.reason` on abort, which also closes the connection.
   *
   * @throws {BackupError} as `databaseError` reads the server's error.
   */
  query<R extends Row = Row>(text: string, values?: readonly unknown[]): Promise<R[]>
}

/**
 * Connects to the first server of the connection that answers and fits.
 *
 * @throws {BackupError} `source-unreachable` (retryable), `source-denied`, `source-missing`.
 */
export async function openSession(connection: Connection, ctx: RunContext): Promise<Session> {
  ctx.signal.throwIfAborted()
  let failure: unknown
  for (const wanted of wantedStates(connection.targetSessionAttrs)) {
    for (const endpoint of connection.endpoints) {
      try {
        const session = await openEndpoint(connection, endpoint, ctx)
        if (await isInState(session, wanted)) return session
        await session[Symbol.asyncDispose]()
        failure ??= new BackupError('source-unreachable', {
          message: `No server of ${displayOf(connection)} is ${wanted}`,
          hint: 'See target_session_attrs in the URL.',
          retryable: true,
        })
      } catch (error) {
        ctx.signal.throwIfAborted()
        const known = databaseError(error, `Connecting to ${displayOf(connection)} failed`)
        if (known.code !== 'source-unreachable') throw known
        failure = known
      }
    }
  }
  throw failure
}

/** Runs `use` with a session that is closed afterwards. */
export async function withSession<T>(
  connection: Connection,
  ctx: RunContext,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  await using session = await openSession(connection, ctx)
  return await use(session)
}

/**
 * A session in a database that is not the one to be made, renamed or dropped.
 *
 * @param wanted - The maintenance database; else `postgres`, else `template1`.
 */
export async function openMaintenance(
  connection: Connection,
  wanted: string | undefined,
  ctx: RunContext,
): Promise<Session> {
  const candidates = wanted ? [wanted] : ['postgres', 'template1'].filter((name) => name !== connection.database)
  let failure: unknown
  for (const database of candidates) {
    try {
      return await openSession(toDatabase(connection, database), ctx)
    } catch (error) {
      failure = error
      if (!(error instanceof BackupError) || error.code === 'source-unreachable') throw error
    }
  }
  throw failure
}

async function openEndpoint(connection: Connection, endpoint: Endpoint, ctx: RunContext): Promise<Session> {
  const wanted = tlsAttempts(connection, endpoint)
  const attempts = wanted.includes(false) && isWithoutTls(endpoint) ? ([false] as const) : wanted
  for (const [index, tls] of attempts.entries()) {
    try {
      return await openWith(connection, endpoint, tls, ctx)
    } catch (error) {
      if (tls && saysNoTls(error)) rememberWithoutTls(endpoint)
      ctx.signal.throwIfAborted()
      const denied = /^(28|3D)/.test(codeOf(error)) && connection.sslmode !== 'allow'
      if (index === attempts.length - 1 || (denied && codeOf(error) !== '28000') || isAway(error)) throw error
    }
  }
  throw new BackupError('internal', { message: 'There was no way to connect to try' })
}

/** Whether nothing listens there: another try with other TLS settings would not change that. */
const isAway = (error: unknown): boolean =>
  /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|ENOENT)/.test(codeOf(error))

async function openWith(
  connection: Connection,
  endpoint: Endpoint,
  ssl: ConnectionOptions | false,
  ctx: RunContext,
): Promise<Session> {
  const pg = await import('pg') // here, so that importing the driver costs nothing
  const socket = new Socket()
  const { keywords } = connection
  const client = new pg.default.Client({
    host: endpoint.hostaddr ?? endpoint.host,
    port: endpoint.port,
    user: connection.user,
    database: connection.database,
    // A function keeps `pg` from looking into the passfile itself, which it warns of.
    password: () => (connection.password ?? passwordFromFile(connection, endpoint, ctx))?.reveal() ?? '',
    ...(keywords.options ? { options: keywords.options } : {}),
    ssl,
    application_name: 'holdfast',
    connectionTimeoutMillis: connection.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 60_000, // firewalls forget a session that waits for hours of filling
    stream: () => socket,
  })
  client.on('error', () => {}) // what was under way rejects; between queries there is nobody to tell
  const abort = (): void => void socket.destroy()
  ctx.signal.addEventListener('abort', abort, { once: true })
  const close = async (): Promise<void> => {
    ctx.signal.removeEventListener('abort', abort)
    if (!socket.destroyed) await client.end().catch(() => {})
    socket.destroy()
  }
  try {
    await untilAborted(client.connect(), ctx)
    return await sessionOf(client, { connection, endpoint, ctx, close })
  } catch (error) {
    socket.destroy() // not `close`: a server that never answered would not answer the farewell either
    ctx.signal.removeEventListener('abort', abort)
    ctx.signal.throwIfAborted()
    throw error
  }
}

interface SessionParts {
  readonly connection: Connection
  readonly endpoint: Endpoint
  readonly ctx: RunContext
  close(): Promise<void>
}

async function sessionOf(client: Client, { connection, endpoint, ctx, close }: SessionParts): Promise<Session> {
  const query = async <R extends Row>(text: string, values: readonly unknown[] = []): Promise<R[]> => {
    try {
      const { rows } = await untilAborted(client.query<R>(text, [...values]), ctx)
      return rows
    } catch (error) {
      ctx.signal.throwIfAborted()
      throw databaseError(error, `A query on ${displayOf({ ...connection, endpoints: [endpoint] })} failed`)
    }
  }
  // Nothing that somebody made in `public` may answer for the system's own functions.
  const [row] = await query<{ version: string }>(
    `select pg_catalog.set_config('search_path', 'pg_catalog', false), pg_catalog.current_setting('server_version_num') as version`,
  )
  return { endpoint, versionNumber: Number(row?.version), query, [Symbol.asyncDispose]: close }
}

import { randomBytes } from 'node:crypto'
import { BackupError, messageOf, type RunContext } from '@holdfast/core'
import type { Connection } from './connection.js'
import type { PostgresSettings } from './options.js'
import { defaultLockTimeoutMs } from './programs.js'
import { quoteIdentifier } from './quoting.js'
import { openMaintenance, type Session } from './session.js'
import { shielded } from './shielded.js'

/** A restore that may have to wait for locks of others. */
export interface WatchedWork {
  /** Of the database, on the server that is restored to. */
  readonly connection: Connection
  readonly settings: PostgresSettings
  /** Whether those that it waits for are ended. */
  readonly terminateConnections: boolean
}

const lookEveryMs = 500

/**
 * Runs `work`, whose programs must not wait for the lock of somebody else for longer than `lockTimeout`: meanwhile they
 * hold locks that others wait for. They cannot see to that themselves, as the scripts of pg_dump and pg_restore begin
 * with `SET lock_timeout = 0`. So a session of ours looks every now and then whom they wait for.
 *
 * @param work - Does its work with this connection, and in this context.
 * @throws {BackupError} `target-in-use`, naming who holds the lock; and what `work` throws.
 */
export async function watchLocks<T>(
  watched: WatchedWork,
  ctx: RunContext,
  work: (connection: Connection, ctx: RunContext) => Promise<T>,
): Promise<T> {
  const applicationName = `holdfast ${randomBytes(6).toString('hex')}`
  const [waited, over] = [new AbortController(), new AbortController()]
  const watching = watch({ ...watched, applicationName, giveUp: (error) => waited.abort(error) }, over.signal, ctx)
  const signal = AbortSignal.any([ctx.signal, waited.signal])
  try {
    return await work({ ...watched.connection, applicationName }, { ...ctx, signal })
  } catch (error) {
    await endRestore(watched, applicationName, ctx)
    throw error
  } finally {
    over.abort()
    await watching
  }
}

interface Watch extends WatchedWork {
  /** Of the sessions of the restore. */
  readonly applicationName: string
  giveUp(error: BackupError): void
}

/** A statement that waits for locks. */
interface Waiting extends Record<string, unknown> {
  readonly statement: string
  /** Processes; 0 for a prepared transaction. */
  readonly blockers: readonly number[]
}

async function watch(watch: Watch, over: AbortSignal, ctx: RunContext): Promise<void> {
  const { clock } = ctx
  const limitMs = watch.settings.lockTimeout ?? defaultLockTimeoutMs
  let session: Session | undefined
  let seen: { readonly statement: string; readonly since: number } | undefined
  while (
    await clock.sleep(Math.min(lookEveryMs, limitMs), over).then(
      () => true,
      () => false,
    )
  ) {
    try {
      session ??= await maintenance(watch, ctx)
      const waiting = await waitingOf(session, watch)
      if (waiting?.statement !== seen?.statement) seen = waiting && { ...waiting, since: clock.monotonic() }
      if (!waiting || !seen) continue
      if (watch.terminateConnections) await end(session, watch, waiting)
      if (clock.monotonic() - seen.since >= limitMs) watch.giveUp(await tooLong(session, watch, waiting, limitMs))
    } catch (error) {
      ctx.log.debug(`Locks of others are not seen: ${messageOf(error)}`)
      await session?.[Symbol.asyncDispose]()
      session = undefined
    }
  }
  await session?.[Symbol.asyncDispose]()
}

/** An abort ends the restore, and what is left of it on the server has to be ended then. */
async function maintenance({ connection, settings }: WatchedWork, ctx: RunContext): Promise<Session> {
  return await openMaintenance(connection, settings.maintenanceDatabase, shielded(ctx))
}

async function waitingOf(session: Session, { connection, applicationName }: Watch): Promise<Waiting | undefined> {
  const rows = await session.query<Waiting>(
    `select pid || ' ' || query_start as statement, pg_blocking_pids(pid) as blockers from pg_stat_activity
      where datname = $1 and application_name = $2 and wait_event_type = 'Lock'`,
    [connection.database, applicationName],
  )
  return rows.find(({ blockers }) => blockers.length > 0)
}

/** One that the role may not end is named when the time is up. */
async function end(session: Session, { connection }: Watch, { blockers }: Waiting): Promise<void> {
  for (const pid of blockers) {
    await session
      .query('select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and datname = $2', [
        pid,
        connection.database,
      ])
      .catch(() => {})
  }
}

async function tooLong(
  session: Session,
  { connection, terminateConnections }: Watch,
  { blockers }: Waiting,
  limitMs: number,
): Promise<BackupError> {
  const rows = await session.query<{ pid: number; role: string | null; application: string; state: string | null }>(
    `select pid, usename::text as role, coalesce(application_name, '') as application, state from pg_stat_activity
      where pid = any ($1)`,
    [blockers],
  )
  const named = rows.map(({ pid, role, application, state }) => {
    const about = [role && `role ${role}`, application, state].filter(Boolean).join(', ')
    return `process ${pid}${about === '' ? '' : ` (${about})`}`
  })
  const prepared = blockers.includes(0) ? ['a prepared transaction (pg_prepared_xacts)'] : []
  const wayOut = terminateConnections
    ? 'This role may not end it: connect as a superuser, or as a member of pg_signal_backend for sessions of others.'
    : 'Or allow the restore to end connections (--terminate, or terminateConnections), or raise lockTimeout.'
  return new BackupError('target-in-use', {
    message: `The restore into ${quoteIdentifier(connection.database)} waited for ${limitMs / 1000} s for a lock of ${[...named, ...prepared].join(', ') || 'a session that has just ended'}`,
    hint: `Nothing in the database was changed. Stop what uses it, and try again. ${wayOut}`,
    retryable: true,
  })
}

/** A server does not notice that a client is gone while it waits for a lock, and keeps the locks that it has. */
async function endRestore(watched: WatchedWork, applicationName: string, ctx: RunContext): Promise<void> {
  try {
    await using session = await maintenance(watched, ctx)
    await session.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
      applicationName,
    ])
  } catch (error) {
    ctx.log.debug(`What is left of the restore on the server could not be ended: ${messageOf(error)}`)
  }
}

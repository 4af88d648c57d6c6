import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { readyOrFailure } from './ready-or-failure.ts'

/** What a test may ask of its server. */
export interface PostgresServerOptions {
  /** Lines of postgresql.conf, for example `{ max_locks_per_transaction: 64 }`. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** Where `initdb` and `postgres` are. Default: the newest of /usr/lib/postgresql. */
  readonly binDir?: string
}

/** A server of the test's own: a free loopback port, a temp directory, gone after `stop()`. */
export interface PostgresServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** The superuser. */
  readonly user: string
  readonly password: string
  readonly binDir: string
  /** Where the server's unix socket is. */
  readonly socketDir: string
  /** `postgres://user:password@host:port/database`, percent-encoded. */
  url(database: string, as?: { readonly user: string; readonly password: string }): string
  /** Runs statements in a database as the superuser, and returns the rows of the last one. */
  sql<Row extends Record<string, unknown> = Record<string, unknown>>(
    database: string,
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]>
  /** Makes an empty database (UTF8, template0). */
  createDatabase(name: string): Promise<void>
  /** Immediate shutdown, then the directory is removed. */
  stop(): Promise<void>
}

/**
 * Starts a PostgreSQL server for tests: scram passwords, no fsync, 50 connections.
 *
 * @throws Error with what to install, where there is no server on this machine.
 */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const binDir = options.binDir ?? newestBinDir()
  const owner = serverOwner()
  const root = mkdtempSync(join(tmpdir(), 'holdfast-pg-'))
  const password = randomBytes(12).toString('base64url')
  try {
    createCluster(binDir, root, password, owner)
    const { child, port } = await startOnFreePort(binDir, root, options.settings ?? {}, owner)
    return serverHandle({ binDir, root, password, child, port })
  } catch (error) {
    rmSync(root, { recursive: true, force: true })
    throw error
  }
}

/** Starts a standby of a server, with what that holds by now. */
export async function startStandby({ binDir, host, port, user, password }: PostgresServer): Promise<PostgresServer> {
  const owner = serverOwner()
  const root = mkdtempSync(join(tmpdir(), 'holdfast-pg-'))
  try {
    if (owner.uid !== undefined && owner.gid !== undefined) chownSync(root, owner.uid, owner.gid)
    const from = ['-h', host, '-p', String(port), '-U', user, '--no-password']
    const args = [...from, '-D', join(root, 'data'), '--write-recovery-conf', '--checkpoint=fast', '--no-sync']
    execFileSync(join(binDir, 'pg_basebackup'), args, {
      ...owner,
      cwd: root,
      stdio: 'pipe',
      env: { PGPASSWORD: password },
    })
    const { child, port: own } = await startOnFreePort(binDir, root, {}, owner)
    return serverHandle({ binDir, root, password, child, port: own })
  } catch (error) {
    rmSync(root, { recursive: true, force: true })
    throw error
  }
}

/** An identifier as PostgreSQL reads it back. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`

interface Owner {
  readonly uid?: number
  readonly gid?: number
}

function newestBinDir(): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root) : []
  const newest = versions
    .filter((version) => existsSync(join(root, version, 'bin', 'initdb')))
    .sort((a, b) => Number(b) - Number(a))[0]
  if (!newest) throw new Error('No PostgreSQL server on this machine: apt-get install postgresql')
  return join(root, newest, 'bin')
}

/** PostgreSQL refuses to run as root: the user `postgres` runs it there, or `nobody`. */
function serverOwner(): Owner {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string): number => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }).toString())
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // no such user: the next one
    }
  }
  throw new Error('Running as root, and there is neither a user postgres nor nobody to run the server as')
}

function createCluster(binDir: string, root: string, password: string, owner: Owner): void {
  const passwordFile = join(root, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (owner.uid !== undefined && owner.gid !== undefined) {
    chownSync(root, owner.uid, owner.gid)
    chownSync(passwordFile, owner.uid, owner.gid)
  }
  const flags = ['--no-sync', '--encoding=UTF8', '--locale=C.UTF-8', '--username=postgres']
  const access = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`, `--pgdata=${join(root, 'data')}`]
  execFileSync(join(binDir, 'initdb'), [...flags, ...access], { ...owner, cwd: root, stdio: 'pipe' })
}

async function startOnFreePort(
  binDir: string,
  root: string,
  settings: Readonly<Record<string, string | number>>,
  owner: Owner,
): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const all = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: root,
      max_connections: 50,
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      lc_messages: 'C',
      logging_collector: 'off',
      ...settings,
    }
    const flags = Object.entries(all).map(([name, value]) => `--${name}=${value}`)
    const args = ['-D', join(root, 'data'), '-p', String(port), ...flags]
    const child = spawn(join(binDir, 'postgres'), args, { ...owner, cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
    const failure = await readyOrFailure(child, {
      server: 'The PostgreSQL server',
      sign: 'ready to accept',
    })
    if (failure === undefined) return { child, port }
    if (attempt === 5 || !/could not bind|could not create any TCP/.test(failure)) throw new Error(failure)
  }
}

interface Running {
  readonly binDir: string
  readonly root: string
  readonly password: string
  readonly child: ChildProcess
  readonly port: number
}

function serverHandle({ binDir, root, password, child, port }: Running): PostgresServer {
  const host = '127.0.0.1'
  const user = 'postgres'
  const url: PostgresServer['url'] = (database, as = { user, password }) => {
    const e = encodeURIComponent
    return `postgres://${e(as.user)}:${e(as.password)}@${host}:${port}/${e(database)}`
  }
  const sql = async <Row extends Record<string, unknown>>(
    database: string,
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]> => {
    const client = new pg.Client({ host, port, user, password, database })
    await client.connect()
    try {
      const result = await client.query<Row>(text, values ? [...values] : undefined)
      // Several statements in one text give several results, which the types do not know.
      const last = Array.isArray(result) ? (result as (typeof result)[]).at(-1) : result
      return last?.rows ?? []
    } finally {
      await client.end()
    }
  }
  const killNow = (): void => void child.kill('SIGQUIT')
  process.once('exit', killNow) // a test process that dies must not leave a server behind
  const stop = async (): Promise<void> => {
    process.off('exit', killNow)
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close')
      child.kill('SIGQUIT')
      await closed
    }
    rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
  const createDatabase = async (name: string): Promise<void> => {
    await sql('postgres', `create database ${quoteName(name)} template template0`)
  }
  return {
    host,
    port,
    user,
    password,
    binDir,
    socketDir: root,
    url,
    sql,
    createDatabase,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import { freePort } from './free-port.ts'
import { readyOrFailure } from './ready-or-failure.ts'

/** A MariaDB or MySQL server for tests. */
export interface MysqlServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** May do anything. */
  readonly user: string
  readonly password: string
  /** Where its client programs are; `undefined` for those that the system finds. */
  readonly binDir: string | undefined
  /** Whether it is MariaDB. */
  readonly isMariadb: boolean
  /** `mariadb://user:password@host:port/database`, percent-encoded. */
  url(database: string, as?: { readonly user: string; readonly password: string }): string
  /** Runs statements one after the other in one session, and returns the rows of the last. */
  sql<Row extends object = Record<string, unknown>>(
    database: string | undefined,
    ...statements: readonly string[]
  ): Promise<Row[]>
  /** Makes an empty database (utf8mb4). */
  createDatabase(name: string): Promise<void>
  stop(): Promise<void>
}

/** What a test may ask of its server. */
export interface MariadbServerOptions {
  /** Flags of mariadbd, for example `{ event_scheduler: 'ON' }`. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/** An identifier as MySQL reads it back. */
export const quoteMysqlName = (name: string): string => `\`${name.replaceAll('`', '``')}\``

/**
 * The server that the environment names (`HOLDFAST_TEST_MYSQL_URL`, with its client programs in
 * `HOLDFAST_TEST_MYSQL_BINDIR`), else a MariaDB server of the test's own: a free loopback port, a temp directory, gone
 * after `stop()`.
 *
 * @throws Error with what to install, where there is no server on this machine.
 */
export async function startMariadb(options: MariadbServerOptions = {}): Promise<MysqlServer> {
  const given = process.env.HOLDFAST_TEST_MYSQL_URL
  return given ? await givenServer(given) : await ownServer(options)
}

async function givenServer(text: string): Promise<MysqlServer> {
  const { hostname, port, username, password } = new URL(text)
  const access = { host: hostname, port: Number(port || 3306), user: decodeURIComponent(username) }
  const all = { ...access, password: decodeURIComponent(password) }
  return await serverHandle(all, process.env.HOLDFAST_TEST_MYSQL_BINDIR, async () => {})
}

async function ownServer({ settings = {} }: MariadbServerOptions): Promise<MysqlServer> {
  const mariadbd = ['/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd', '/usr/bin/mariadbd'].find((path) =>
    existsSync(path),
  )
  if (!mariadbd) throw new Error('No MariaDB server on this machine: apt-get install mariadb-server')
  const owner = serverOwner()
  const root = mkdtempSync(join(tmpdir(), 'holdfast-mariadb-'))
  chmodSync(root, 0o755)
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(root, owner.uid, owner.gid)
  const remove = (): void => rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  try {
    const data = join(root, 'data')
    const flags = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal']
    execFileSync('mariadb-install-db', [...flags, '--skip-test-db', '--skip-log-bin'], {
      ...owner,
      ...withOwnTemp(root),
      stdio: 'pipe',
    })
    const { child, port } = await startOnFreePort(mariadbd, root, settings, owner)
    const password = randomBytes(12).toString('base64url')
    const admin = await mysql.createConnection({ socketPath: join(root, 'sock'), user: 'root' })
    await admin.query(`create user admin@'127.0.0.1' identified by '${password}'`)
    await admin.query(`grant all on *.* to admin@'127.0.0.1' with grant option`)
    await admin.end()
    return await serverHandle({ host: '127.0.0.1', port, user: 'admin', password }, undefined, async () => {
      await end(child)
      remove()
    })
  } catch (error) {
    remove()
    throw error
  }
}

interface Owner {
  readonly uid?: number
  readonly gid?: number
}

/** MariaDB does not like to run as root. */
function serverOwner(): Owner {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['mysql', 'nobody']) {
    try {
      const id = (flag: string): number => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }).toString())
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // no such user: the next one
    }
  }
  throw new Error('Running as root, and there is neither a user mysql nor nobody to run the server as')
}

/** A server that starts removes the temporary tables that it finds, and in a shared directory those of others. */
const withOwnTemp = (root: string): { cwd: string; env: NodeJS.ProcessEnv } => ({
  cwd: root,
  env: { ...process.env, TMPDIR: root },
})

async function startOnFreePort(
  mariadbd: string,
  root: string,
  settings: Readonly<Record<string, string | number>>,
  owner: Owner,
): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const all = {
      datadir: join(root, 'data'),
      socket: join(root, 'sock'),
      'pid-file': join(root, 'pid'),
      'bind-address': '127.0.0.1',
      port,
      'innodb-flush-log-at-trx-commit': 0,
      'innodb-flush-method': 'nosync',
      'innodb-buffer-pool-size': '128M',
      'max-allowed-packet': '64M',
      'character-set-server': 'utf8mb4',
      ...settings,
    }
    const flags = Object.entries(all).map(([name, value]) => `--${name.replaceAll('_', '-')}=${value}`)
    const child = spawn(mariadbd, ['--no-defaults', '--skip-name-resolve', ...flags], {
      ...owner,
      ...withOwnTemp(root),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const failure = await readyOrFailure(child, { server: 'The MariaDB server', sign: 'ready for connections' })
    if (failure === undefined) {
      process.once('exit', () => child.kill('SIGKILL')) // a test process that dies must not leave a server behind
      return { child, port }
    }
    if (attempt === 5 || !/Address already in use|in use/.test(failure)) throw new Error(failure)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

interface Access {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

async function serverHandle(
  access: Access,
  binDir: string | undefined,
  stop: () => Promise<void>,
): Promise<MysqlServer> {
  const { host, port, user, password } = access
  const sql = async <Row extends object>(
    database: string | undefined,
    ...statements: readonly string[]
  ): Promise<Row[]> => {
    const client = await mysql.createConnection({
      ...access,
      ...(database === undefined ? {} : { database }),
      charset: 'utf8mb4',
      dateStrings: true,
      supportBigNumbers: true,
    })
    try {
      let rows: unknown = []
      for (const statement of statements) [rows] = await client.query(statement)
      return rows as Row[]
    } finally {
      await client.end()
    }
  }
  const [row] = await sql<{ version: string }>(undefined, 'select version() as version')
  return {
    ...access,
    binDir,
    isMariadb: row?.version.includes('MariaDB') ?? false,
    url(database, as = { user, password }) {
      const e = encodeURIComponent
      return `mariadb://${e(as.user)}:${e(as.password)}@${host}:${port}/${e(database)}`
    },
    sql,
    createDatabase: async (name) => {
      await sql(undefined, `create database ${quoteMysqlName(name)} character set utf8mb4`)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

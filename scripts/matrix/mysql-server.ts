import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../tests/support/src/free-port.ts'
import { readyOrFailure } from '../../tests/support/src/ready-or-failure.ts'
import type { DatabasePrograms } from './debian-tree.ts'

/** A running server: a free loopback port, a temp directory, gone when disposed of. */
export interface MysqlServer extends AsyncDisposable {
  /** `mysql://admin:…@127.0.0.1:port`: of a user who may do anything. */
  readonly url: string
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Starts a MySQL server of these programs, as the user nobody. */
export function startMysql(programs: DatabasePrograms): Promise<MysqlServer> {
  const common = ['--no-defaults', '--secure-file-priv=', `--basedir=${programs.baseDir}`]
  const flags = [...common, `--lc-messages-dir=${programs.shareDir}`, '--mysqlx=OFF']
  return start('mysql', programs, [...flags, '--sync-binlog=0'], (data, owner) => {
    const initialize = [...flags, `--datadir=${data}`, '--initialize-insecure']
    execFileSync(join(programs.binDir, 'mysqld'), initialize, { ...owner, stdio: 'pipe' })
  })
}

/** Starts a MariaDB server of these programs, as the user nobody. */
export function startMariadb(programs: DatabasePrograms): Promise<MysqlServer> {
  const flags = ['--no-defaults', `--basedir=${programs.baseDir}`, `--lc-messages-dir=${programs.shareDir}`]
  // MySQL has a binary log by default. The rights that it takes from users are taken by the tests that want it.
  const logging = ['--log-bin=log', '--sync-binlog=0', '--log-bin-trust-function-creators=ON']
  return start('mariadb', programs, [...flags, ...logging], (data, owner) => {
    const bootstrap = [...flags, `--datadir=${data}`, '--bootstrap']
    const input = systemTables(programs.shareDir)
    execFileSync(join(programs.binDir, 'mariadbd'), bootstrap, { ...owner, input, stdio: 'pipe' })
  })
}

/** What mariadb-install-db feeds to the server: that script only finds programs in their own system. */
function systemTables(shareDir: string): string {
  const files = [
    'mariadb_system_tables.sql',
    'mariadb_performance_tables.sql',
    'mariadb_system_tables_data.sql',
    'fill_help_tables.sql',
    'maria_add_gis_sp_bootstrap.sql',
    'mariadb_sys_schema.sql',
  ]
  const statements = files.map((file) => readFileSync(join(shareDir, file), 'utf8')).join('\n')
  const ofThisHost = /^.*@current_hostname.*\n/gm
  return `create database mysql;\nuse mysql;\nset @auth_root_socket=null;\n${statements.replace(ofThisHost, '')}`
}

async function start(
  name: 'mysql' | 'mariadb',
  { binDir }: DatabasePrograms,
  flags: readonly string[],
  initialize: (data: string, owner: Owner) => void,
): Promise<MysqlServer> {
  const owner = nobody()
  const root = mkdtempSync(join(tmpdir(), `holdfast-${name}-`))
  const remove = (): void => rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  try {
    chownSync(root, owner.uid, owner.gid)
    chmodSync(root, 0o755)
    const data = join(root, 'data')
    mkdirSync(data, { mode: 0o700 })
    chownSync(data, owner.uid, owner.gid)
    initialize(data, owner)
    const port = await freePort()
    const socket = join(root, 'sock')
    const where = [`--datadir=${data}`, `--socket=${socket}`, `--port=${port}`, `--pid-file=${join(root, 'pid')}`]
    // A server that starts removes the temporary tables that it finds, and in a shared directory those of others.
    const temp = `--tmpdir=${root}`
    const quick = ['--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=128M', '--max-allowed-packet=64M']
    const args = [...flags, ...where, ...quick, temp, '--bind-address=127.0.0.1', '--skip-name-resolve']
    const child = spawn(join(binDir, `${name}d`), args, { ...owner, cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
    const killNow = (): void => {
      child.kill('SIGKILL')
      remove()
    }
    process.once('exit', killNow) // whoever stops the run with Ctrl-C finds nothing left behind
    const stop = async (): Promise<void> => {
      await end(child)
      remove()
      process.off('exit', killNow)
    }
    try {
      const failure = await readyOrFailure(child, { server: 'The server', sign: 'ready for connections' })
      if (failure !== undefined) throw new Error(failure)
      const password = randomBytes(12).toString('base64url')
      const admin = [
        `create user admin@'127.0.0.1' identified by '${password}'`,
        `grant all on *.* to admin@'127.0.0.1' with grant option`,
      ].join(';\n')
      const asRoot = ['--no-defaults', `--socket=${socket}`, '--user=root']
      execFileSync(join(binDir, name), asRoot, { input: admin, stdio: 'pipe' })
      return { url: `mysql://admin:${password}@127.0.0.1:${port}`, [Symbol.asyncDispose]: stop }
    } catch (error) {
      await end(child)
      throw error
    }
  } catch (error) {
    remove()
    throw error
  }
}

/** Both servers refuse to run as root. */
function nobody(): Owner {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody']).toString())
  return { uid: id('-u'), gid: id('-g') }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

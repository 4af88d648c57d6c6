import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { workDir } from '#bench/paths'
import { run } from '#bench/run'
import { freePort } from '../../tests/support/src/free-port.ts'

/** The MariaDB server that holds the data. Its files stay between runs of the benchmark, as PostgreSQL's do. */
export interface Mariadb extends AsyncDisposable {
  readonly version: string
  /** For the programs of MariaDB: host, port, user and password. */
  readonly defaultsFile: string
  url(database: string): string
  /** Runs statements and returns what the client prints, unaligned and without headings. */
  sql(database: string, statements: string): Promise<string>
}

/** As for PostgreSQL: nothing here favours a side, and waiting for the disk would hide the differences. */
const settings: Readonly<Record<string, string>> = {
  'innodb-buffer-pool-size': '1G',
  'innodb-log-file-size': '1G',
  'innodb-flush-log-at-trx-commit': '0',
  'innodb-doublewrite': '0',
  'skip-log-bin': '1',
  'max-allowed-packet': '256M',
  'local-infile': '1',
}

/** Starts the server on a free loopback port; makes its files first where there are none. */
export async function startMariadb(): Promise<Mariadb> {
  const folder = join(workDir, 'mariadb')
  const owner = await serverOwner()
  await createFiles(folder, owner)
  const port = await freePort()
  const password = crypto.randomUUID()
  const defaultsFile = join(folder, 'client.cnf')
  const client = ['[client]', 'protocol=tcp', 'host=127.0.0.1', `port=${port}`, 'user=bench', `password=${password}`]
  await writeFile(defaultsFile, `${client.join('\n')}\n`, { mode: 0o600 })
  const init = join(folder, 'init.sql')
  const account = "'bench'@'127.0.0.1'"
  const statements = [
    `CREATE OR REPLACE USER ${account} IDENTIFIED BY '${password}'`,
    `GRANT ALL ON *.* TO ${account} WITH GRANT OPTION`,
  ]
  await writeFile(init, statements.map((statement) => `${statement};\n`).join(''), { mode: 0o600 })
  if (owner) await chown(init, owner.uid, owner.gid)
  const flags = Object.entries({
    ...settings,
    datadir: join(folder, 'data'),
    socket: join(folder, 'socket'),
    'pid-file': join(folder, 'pid'),
    'bind-address': '127.0.0.1',
    port: `${port}`,
    'init-file': init,
  }).map(([name, value]) => `--${name}=${value}`)
  const args = ['--no-defaults', ...flags]
  const child = spawn('/usr/sbin/mariadbd', args, { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  const stop = (): void => void child.kill('SIGTERM')
  process.once('exit', stop)
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    log = (log + piece).slice(-4_000)
  })
  const sql = async (database: string, statements: string): Promise<string> => {
    const args = [`--defaults-file=${defaultsFile}`, '--local-infile=1', '-BN', '-e', statements, database]
    return (await run('mariadb', args)).trim()
  }
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The MariaDB server did not start:\n${log}`)
    if (await sql('mysql', 'SELECT 1').then(Boolean, () => false)) break
    await sleep(100)
  }
  return {
    version: await sql('mysql', 'SELECT version()'),
    defaultsFile,
    url: (database) => `mariadb://bench:${password}@127.0.0.1:${port}/${database}`,
    sql,
    async [Symbol.asyncDispose]() {
      process.off('exit', stop)
      stop()
      await exited
    },
  }
}

/** MariaDB does not like to run as root. */
async function serverOwner(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const id = async (flag: string): Promise<number> => Number(await run('id', [flag, 'mysql']))
  return { uid: await id('-u'), gid: await id('-g') }
}

async function createFiles(folder: string, owner: { uid: number; gid: number } | undefined): Promise<void> {
  if (await stat(join(folder, 'data', 'mysql')).then(Boolean, () => false)) return
  await mkdir(folder, { recursive: true })
  if (owner) await chown(folder, owner.uid, owner.gid)
  const where = [`--datadir=${join(folder, 'data')}`, '--auth-root-authentication-method=normal', '--skip-test-db']
  await run('mariadb-install-db', ['--no-defaults', ...where, ...(owner ? ['--user=mysql'] : [])])
}

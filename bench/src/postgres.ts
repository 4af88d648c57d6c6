import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { workDir } from '#bench/paths'
import { run } from '#bench/run'
import { freePort } from '../../tests/support/src/free-port.ts'

/** The server that holds the data. Its files stay between runs of the benchmark, so that data are made once. */
export interface Postgres extends AsyncDisposable {
  readonly version: string
  /** Where pg_dump and pg_restore of the server's own version are. */
  readonly binDir: string
  readonly password: string
  /** A connection URL with or without the password. */
  url(database: string, options?: { readonly password: boolean }): string
  /** Runs statements and returns what psql prints, unaligned and without headings. */
  sql(database: string, statements: string): Promise<string>
}

/**
 * What is not PostgreSQL's default. Nothing here favours a side: both dump from and restore into this server. What it
 * saves is waiting for the disk, which would hide the differences that are looked for.
 */
const settings: Readonly<Record<string, string>> = {
  shared_buffers: '512MB',
  maintenance_work_mem: '256MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
  wal_level: 'minimal',
  max_wal_senders: '0',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
}

/** Starts the server on a free loopback port; makes its files first where there are none. */
export async function startPostgres(): Promise<Postgres> {
  const binDir = await newestBinDir()
  const folder = join(workDir, `postgres-${binDir.split('/').at(-2)}`)
  const owner = await serverOwner()
  const password = await createCluster(binDir, folder, owner)
  const port = await freePort()
  const flags = Object.entries({ ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: '' })
  const args = ['-D', join(folder, 'data'), '-p', `${port}`, ...flags.map(([name, value]) => `--${name}=${value}`)]
  const child = spawn(join(binDir, 'postgres'), args, { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  const stop = (): void => void child.kill('SIGINT') // ends sessions and leaves files that can be started from
  process.once('exit', stop)
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    log = (log + piece).slice(-4_000)
  })
  const env = { ...process.env, PGPASSWORD: password, PGOPTIONS: '-c client_min_messages=warning' }
  const url = (database: string, { password: withIt } = { password: false }): string =>
    `postgres://postgres${withIt ? `:${password}` : ''}@127.0.0.1:${port}/${database}`
  const sql = async (database: string, statements: string): Promise<string> => {
    const flags = ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', url(database), '-c', statements]
    return (await run(join(binDir, 'psql'), flags, { env })).trim()
  }
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The PostgreSQL server did not start:\n${log}`)
    const ready = await sql('postgres', 'SELECT 1').then(Boolean, () => false)
    if (ready) break
    await sleep(100)
  }
  return {
    version: await sql('postgres', 'SHOW server_version'),
    binDir,
    password,
    url,
    sql,
    async [Symbol.asyncDispose]() {
      process.off('exit', stop)
      stop()
      await exited
    },
  }
}

async function newestBinDir(): Promise<string> {
  const root = '/usr/lib/postgresql'
  const majors = await readdir(root).catch(() => [])
  const newest = majors.map(Number).sort((a, b) => b - a)[0]
  if (newest === undefined)
    throw new Error('No PostgreSQL server under /usr/lib/postgresql: apt-get install postgresql')
  return join(root, `${newest}`, 'bin')
}

/** PostgreSQL refuses to run as root. */
async function serverOwner(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const id = async (flag: string): Promise<number> => Number(await run('id', [flag, 'postgres']))
  return { uid: await id('-u'), gid: await id('-g') }
}

async function createCluster(
  binDir: string,
  folder: string,
  owner: { uid: number; gid: number } | undefined,
): Promise<string> {
  const passwordFile = join(folder, 'password')
  const isThere = await stat(join(folder, 'data', 'PG_VERSION')).then(Boolean, () => false)
  if (isThere) return readFile(passwordFile, 'utf8')
  await mkdir(folder, { recursive: true })
  await writeFile(passwordFile, crypto.randomUUID(), { mode: 0o600 })
  if (owner) for (const path of [folder, passwordFile]) await chown(path, owner.uid, owner.gid)
  const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  const format = ['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync', `--pgdata=${join(folder, 'data')}`]
  await run(join(binDir, 'initdb'), [...access, ...format], { ...owner, cwd: folder })
  return readFile(passwordFile, 'utf8')
}

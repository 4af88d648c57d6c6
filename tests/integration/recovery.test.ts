import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { age, type Cipher, createHoldfast, generateAgeKey, gpg, systemClock } from '@holdfast/core'
import { mysql } from '@holdfast/driver-mysql'
import { postgres } from '@holdfast/driver-postgres'
import { sqlite } from '@holdfast/driver-sqlite'
import { local } from '@holdfast/storage-local'
import {
  type MysqlServer,
  nastyMysqlDatabase,
  type PostgresServer,
  startMariadb,
  startPostgres,
} from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const page = readFileSync(new URL('../../docs/recovery.md', import.meta.url), 'utf8')

/** The shell blocks of docs/recovery.md by the word behind their fence, as they stand. */
const blocks = new Map(
  [...page.matchAll(/^```sh (\w+)\n(.*?)^```$/gms)].map(([, name, text]) => [name ?? '', text ?? '']),
)

let server: PostgresServer
let directory: string
/** Where gpg has its keys. Short: it holds a socket. */
let gnupgHome: string
let ciphers: Readonly<Record<string, Cipher | undefined>>

beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-recovery-'))
  gnupgHome = mkdtempSync(join(tmpdir(), 'hfgpg-'))
  const { identity, recipient } = await generateAgeKey()
  writeFileSync(join(directory, 'key.txt'), `${identity.reveal()}\n`, { mode: 0o600 })
  const generate = ['--quick-generate-key', 'backups@example.org', 'default', 'default', 'never']
  execFileSync('gpg', ['--homedir', gnupgHome, '--batch', '--quiet', '--passphrase', '', ...generate], {
    stdio: 'pipe',
  })
  ciphers = {
    plain: undefined,
    age: age({ recipients: recipient }),
    gpg: gpg({ recipients: 'backups@example.org', homedir: gnupgHome }),
  }
  await server.createDatabase('shop')
  await server.sql(
    'shop',
    `CREATE ROLE clerk;
     CREATE TABLE "odd ""name""" (id int PRIMARY KEY, note text);
     INSERT INTO "odd ""name""" SELECT n, E'line\\n🐚 ' || n FROM generate_series(1, 5000) n;
     CREATE TABLE items (id int PRIMARY KEY, name text);
     INSERT INTO items VALUES (1, 'kelp');
     GRANT SELECT ON items TO clerk;`,
  )
})

afterAll(async () => {
  await server.stop()
  spawnSync('gpgconf', ['--homedir', gnupgHome, '--kill', 'all'])
  for (const made of [directory, gnupgHome]) rmSync(made, { recursive: true, force: true })
})

/** Runs blocks of the page in one shell, with what the page says must be set. */
function follow(names: readonly string[], backups: string, target: string): string {
  const lines = names.map((name) => blocks.get(name) ?? `echo no block ${name}; exit 1`)
  return inShell(['set -eu', ...lines].join('\n'), directory, { BACKUPS: backups, TARGET: target, TABLE: 'items' })
}

/** Runs a script of bash as somebody would who has the keys and the server. */
function inShell(text: string, cwd: string, more: Readonly<Record<string, string>>): string {
  const script = join(directory, 'recover.sh')
  writeFileSync(script, text)
  const env = {
    ...more,
    HOME: directory, // where .my.cnf is
    KEY: join(directory, 'key.txt'),
    GNUPGHOME: gnupgHome,
    PATH: `${server.binDir}:${process.env.PATH}`,
    PGHOST: server.host,
    PGPORT: String(server.port),
    PGUSER: server.user,
    PGPASSWORD: server.password,
  }
  const { status, stdout, stderr } = spawnSync('bash', [script], { env, cwd })
  if (status !== 0) throw new Error(`The commands ended with exit code ${status}: ${stderr}`)
  return stdout.toString()
}

function plainDump(database: string): string {
  const env = { PATH: process.env.PATH, PGPASSWORD: server.password }
  const args = ['-h', server.host, '-p', String(server.port), '-U', server.user, '--restrict-key=x', database]
  return execFileSync(join(server.binDir, 'pg_dump'), args, { env, maxBuffer: 1 << 30 }).toString()
}

/** Ways in which a part may be stored. */
const wrappings = [
  ['zstd', 'plain'],
  ['none', 'plain'],
  ['gzip', 'age'],
  ['none', 'gpg'],
] as const

describe('docs/recovery.md', () => {
  it('has no shell block that is not run here', () => {
    const run = ['find', 'check', 'choose', 'globals', 'restore', 'trailer', 'mysql', 'table', 'sqlite']
    expect([...blocks.keys()].toSorted()).toEqual(run.toSorted())
    expect(page.match(/^```\w/gm)).toHaveLength(run.length)
  })

  it.each([
    ['custom', 'zstd', 'plain'],
    ['custom', 'none', 'plain'],
    ['plain', 'gzip', 'plain'],
    ['plain', 'zstd', 'plain'],
    ['custom', 'zstd', 'age'],
    ['plain', 'gzip', 'age'],
    ['custom', 'zstd', 'gpg'],
    ['plain', 'none', 'gpg'],
  ] as const)(
    'restores a %s dump with %s, encrypted: %s, by standard tools alone',
    async (format, compress, cipher) => {
      const backups = join(directory, `${format}-${compress}-${cipher}`)
      const encrypt = ciphers[cipher]
      const source = postgres({ url: server.url('shop'), format, globals: true })
      const jobs = { shop: { source, storages: [local({ path: backups })], compress, ...(encrypt && { encrypt }) } }
      const clock = { ...systemClock, now: () => new Date(Date.now() - 60_000) }
      await using earlier = createHoldfast({ jobs, clock })
      await earlier.backup()
      await using holdfast = createHoldfast({ jobs })
      const { backup } = await holdfast.backup()

      const target = `recovered_${format}_${compress}_${cipher}`
      const output = follow(['find', 'check', 'choose', 'restore', 'trailer'], backups, target)
      expect(output).toContain(backup.name)
      expect(output).toContain(': OK')
      expect(plainDump(target)).toBe(plainDump('shop'))
    },
  )

  it.each(['plain', 'age', 'gpg'])(
    'the line in the manifest restores its own backup, encrypted: %s',
    async (cipher) => {
      const backups = join(directory, `line-${cipher}`)
      const encrypt = ciphers[cipher]
      const source = postgres({ url: server.url('shop') })
      const job = { source, storages: [local({ path: backups })], ...(encrypt && { encrypt }) }
      await using holdfast = createHoldfast({ jobs: { shop: job } })
      const { backup } = await holdfast.backup()
      const target = `line_${cipher}`
      await server.createDatabase(target)
      const beside = dirname(join(backups, backup.base))
      copyFileSync(join(directory, 'key.txt'), join(beside, 'key.txt'))
      inShell(`set -e -o pipefail\n${backup.manifest.recover.replace('TARGET', target)}`, beside, {})
      expect(plainDump(target)).toBe(plainDump('shop'))
    },
  )

  it('notices a flipped byte and a damaged manifest', async () => {
    const backups = join(directory, 'damaged')
    const storage = local({ path: backups })
    await using holdfast = createHoldfast({
      jobs: { shop: { source: postgres({ url: server.url('shop') }), storages: [storage] } },
    })
    const { backup } = await holdfast.backup()
    for (const path of [`${backup.base}.dump.zst`, `${backup.base}.manifest.json`].map((key) => join(backups, key))) {
      const bytes = readFileSync(path)
      bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200)
      writeFileSync(path, bytes)
      expect(() => follow(['find', 'check'], backups, 'unused')).toThrow(/did NOT match|manifest is damaged/)
      bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200)
      writeFileSync(path, bytes)
    }
    follow(['find', 'check'], backups, 'unused')
  })

  it('restores roles, and takes one table out', async () => {
    const backups = join(directory, 'globals')
    const source = postgres({ url: server.url('shop'), globals: true })
    await using holdfast = createHoldfast({ jobs: { shop: { source, storages: [local({ path: backups })] } } })
    await server.sql('shop', 'CREATE ROLE diver')
    await holdfast.backup()
    await server.sql('shop', 'DROP ROLE diver')
    follow(['find', 'choose', 'globals', 'table'], backups, 'unused')
    expect(await server.sql('shop', `SELECT 1 AS found FROM pg_roles WHERE rolname = 'diver'`)).toEqual([{ found: 1 }])
    expect(readFileSync(join(directory, 'items.sql'), 'utf8')).toContain('kelp')
  })
})

describe('docs/recovery.md, for MySQL and MariaDB', () => {
  let mariadb: MysqlServer
  beforeAll(async () => {
    mariadb = await startMariadb()
    const { host, port, user, password } = mariadb
    const client = ['[client]', `host=${host}`, `port=${port}`, 'protocol=tcp', `user=${user}`, `password=${password}`]
    writeFileSync(join(directory, '.my.cnf'), `${client.join('\n')}\n`, { mode: 0o600 })
    await mariadb.createDatabase('shop')
    await mariadb.sql('shop', ...nastyMysqlDatabase(mariadb.isMariadb))
  })
  afterAll(() => mariadb.stop())

  /** What a database holds, with rows and code, as its own program tells it. */
  function contentOf(database: string): string {
    const options = [`--defaults-file=${join(directory, '.my.cnf')}`, '--skip-comments', '--hex-blob']
    const code = ['--routines', '--events', '--triggers', '--single-transaction', '--default-character-set=utf8mb4']
    const dump = execFileSync('mariadb-dump', [...options, ...code, '--', database], { maxBuffer: 1 << 30 })
    // A default that asks a sequence names the database of the dump, as the page says.
    return dump.toString('latin1').replaceAll(/nextval\(`\w+`\./g, 'nextval(`(the database)`.')
  }

  it.each(wrappings)('restores a dump with %s, encrypted: %s', async (compress, cipher) => {
    const backups = join(directory, `mysql-${compress}-${cipher}`)
    const encrypt = ciphers[cipher]
    const source = mysql({ url: mariadb.url('shop') })
    const job = { source, storages: [local({ path: backups })], compress, ...(encrypt && { encrypt }) }
    await using holdfast = createHoldfast({ jobs: { shop: job } })
    const { backup } = await holdfast.backup()

    const recovered = `recovered_${cipher}_${compress}`
    const output = follow(['find', 'check', 'choose', 'mysql'], backups, recovered)
    expect(output).toContain(backup.name)
    expect(contentOf(recovered)).toBe(contentOf('shop'))

    const byLine = `line_${cipher}_${compress}`
    await mariadb.createDatabase(byLine)
    const beside = dirname(join(backups, backup.base))
    copyFileSync(join(directory, 'key.txt'), join(beside, 'key.txt'))
    inShell(`set -e -o pipefail\n${backup.manifest.recover.replace('TARGET', byLine)}`, beside, {})
    expect(contentOf(byLine)).toBe(contentOf('shop'))
  })

  it('refuses a dump that lacks its end', async () => {
    const backups = join(directory, 'mysql-cut')
    const job = { source: mysql({ url: mariadb.url('shop') }), storages: [local({ path: backups })] }
    await using holdfast = createHoldfast({ jobs: { shop: { ...job, compress: 'none' } } })
    const { backup } = await holdfast.backup()
    const path = join(backups, `${backup.base}.sql`)
    writeFileSync(path, readFileSync(path).subarray(0, -200))
    expect(() => follow(['find', 'choose', 'mysql'], backups, 'recovered_cut')).toThrow('the dump lacks its end')
    expect(await mariadb.sql('recovered_cut', 'show tables')).toEqual([])
  })
})

describe('docs/recovery.md, for SQLite', () => {
  const ask = (file: string, input: string): string => execFileSync('sqlite3', [file], { input }).toString()

  it.each(wrappings)('puts a backup with %s, encrypted: %s, into a live file', async (compress, cipher) => {
    const path = join(directory, `shop.sql.${cipher}-${compress}.db`) // a name that a loose pattern takes for SQL
    ask(
      path,
      `pragma journal_mode = wal; create table "odd ""name" (id integer primary key, note);
       insert into "odd ""name" values (1, 'kelp 🐚'), (2, x'00ff'); create view v as select 1;`,
    )
    const backups = join(directory, `sqlite-${compress}-${cipher}`)
    const encrypt = ciphers[cipher]
    const job = { source: sqlite({ path }), storages: [local({ path: backups })], compress }
    await using holdfast = createHoldfast({ jobs: { shop: { ...job, ...(encrypt && { encrypt }) } } })
    const { backup } = await holdfast.backup()
    const original = ask(path, '.dump')
    ask(path, 'drop view v; delete from "odd ""name"; create table later (a);')

    const output = follow(['find', 'check', 'choose', 'sqlite'], backups, path)
    expect(output).toContain(backup.name)
    expect(original).toContain('kelp 🐚')
    expect(ask(path, '.dump')).toBe(original)
    expect(ask(join(directory, 'restored.db'), '.dump')).toBe(original)
  })

  it('is never taken for SQL text', async () => {
    const path = join(directory, 'text.db')
    ask(path, 'create table t (a);')
    const backups = join(directory, 'sqlite-as-text')
    const job = { source: sqlite({ path }), storages: [local({ path: backups })] }
    await using holdfast = createHoldfast({ jobs: { shop: job } })
    await holdfast.backup()
    follow(['find', 'choose', 'restore', 'trailer'], backups, 'not_from_sqlite')
    expect(await server.sql('not_from_sqlite', `SELECT 1 FROM pg_tables WHERE schemaname = 'public'`)).toEqual([])
  })
})

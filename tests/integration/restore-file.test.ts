import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  age,
  type Cipher,
  createHoldfast,
  createRunContext,
  type DumpFile,
  dumpFromStream,
  dumpOnDisk,
  dumpOnStorage,
  gpg,
  type RestoreFileOptions,
} from '@holdfast/core'
import { postgres } from '@holdfast/driver-postgres'
import { local } from '@holdfast/storage-local'
import { type PostgresServer, startPostgres } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gpgHome } from '../../packages/core/test/gpg-home.js'

let server: PostgresServer
let directory: string
let recipient: string
const home = gpgHome()
let original: string
let count = 0

beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'holdfast-file-'))
  await server.createDatabase('shop')
  await server.sql(
    'shop',
    `CREATE TABLE "odd ""name""" (id int PRIMARY KEY, note text);
     INSERT INTO "odd ""name""" SELECT n, E'line\\n\\\\connect 🐚 ' || n FROM generate_series(1, 20000) n;
     CREATE VIEW v AS SELECT count(*) FROM "odd ""name""";
     CREATE SEQUENCE s START 7`,
  )
  original = plainDump('shop')
  execFileSync('age-keygen', ['-o', join(directory, 'key.txt')], { stdio: 'ignore' })
  recipient = execFileSync('age-keygen', ['-y', join(directory, 'key.txt')])
    .toString()
    .trim()
  home.generate('shop@example.org')
})

afterAll(async () => {
  home.remove()
  rmSync(directory, { recursive: true, force: true })
  await server.stop()
})

const environment = (): NodeJS.ProcessEnv => ({
  PATH: `${server.binDir}:${process.env.PATH}`,
  PGHOST: server.host,
  PGPORT: String(server.port),
  PGUSER: server.user,
  PGPASSWORD: server.password,
  RECIPIENT: recipient,
  GNUPGHOME: home.homedir,
})

/** Runs a line as anybody would type it. */
function shell(line: string): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', line], {
    cwd: directory,
    env: environment(),
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`${line}: ${stderr}`)
  return stdout.toString()
}

/** Without the key that newer versions make up anew for each dump. */
function plainDump(database: string): string {
  return shell(`pg_dump '${database}'`).replaceAll(/^\\(?:un)?restrict .*$/gm, '')
}

const ciphers = (): readonly Cipher[] => [
  age({ identities: { file: join(directory, 'key.txt') } }),
  gpg({ homedir: home.homedir }),
]

async function restore(file: DumpFile, target: string, options: Partial<RestoreFileOptions> = {}) {
  await using holdfast = createHoldfast({ jobs: {} })
  const into = postgres({ url: server.url(target) })
  return await holdfast.restoreFile(file, { into, ciphers: ciphers(), ...options })
}

const dumps: readonly (readonly [name: string, line: string])[] = [
  ['custom', 'pg_dump -Fc shop'],
  ['custom, uncompressed', 'pg_dump -Fc -Z0 shop'],
  ['plain', 'pg_dump shop'],
  ['plain, with drops', 'pg_dump --clean --if-exists shop'],
  ['plain in gzip', 'pg_dump shop | gzip'],
  ['custom in zstd', 'pg_dump -Fc shop | zstd'],
  ['plain in zstd of several frames', "pg_dump shop | split -b 100k --filter='zstd -q'"],
  ['custom in age', 'pg_dump -Fc shop | age -r "$RECIPIENT"'],
  ['plain in gzip in armored age', 'pg_dump shop | gzip | age -a -r "$RECIPIENT"'],
  ['plain in gpg', 'pg_dump shop | gpg --batch --trust-model always -r shop@example.org -e'],
  [
    'custom in zstd in armored gpg',
    'pg_dump -Fc shop | zstd | gpg --batch --armor --trust-model always -r shop@example.org -e',
  ],
]

describe.each(dumps)('a dump made by hand: %s', (_, line) => {
  let path: string
  beforeAll(() => {
    path = join(directory, `dump-${++count}`) // its name says nothing
    shell(`${line} > '${path}'`)
  })

  it('is restored from its file', async () => {
    const target = `t${++count}`
    const result = await restore(dumpOnDisk(path), target)
    expect(result).toMatchObject({ mode: 'create', created: true, manifest: { engine: 'postgres' } })
    expect(plainDump(target)).toBe(original)
  })

  it('is restored from a stream', async () => {
    const target = `t${++count}`
    await restore(dumpFromStream('standard input', createReadStream(path)), target)
    expect(plainDump(target)).toBe(original)
  })

  it('takes the place of what is there, aside, from a stream', async () => {
    const target = `t${++count}`
    await server.createDatabase(target)
    await server.sql(target, 'CREATE TABLE old (id int)')
    const result = await restore(dumpFromStream('standard input', createReadStream(path)), target)
    expect(result).toMatchObject({ mode: 'staged', old: { name: expect.stringContaining('__before_') } })
    expect(plainDump(target)).toBe(original)
  })

  it('leaves nothing behind when it is cut', async () => {
    const cut = join(directory, `cut-${++count}`)
    copyFileSync(path, cut)
    truncateSync(cut, Math.floor(readFileSync(path).length * 0.8))
    const target = `t${++count}`
    await expect(restore(dumpOnDisk(cut), target)).rejects.toThrow()
    await expect(restore(dumpFromStream('-', createReadStream(cut)), target)).rejects.toThrow()
    const left = await server.sql<{ datname: string }>('postgres', 'select datname from pg_database')
    expect(left.filter(({ datname }) => datname.startsWith(target))).toEqual([])
  })
})

describe('in place', () => {
  it('a stream is kept in a private file, and read whole before anything is touched', async () => {
    const target = `t${++count}`
    await server.createDatabase(target)
    const bytes = Buffer.from(spawnSync('bash', ['-c', 'pg_dump -Fc shop | zstd'], { env: environment() }).stdout)
    const stream = async function* (length: number) {
      yield bytes.subarray(0, length)
    }
    await expect(
      restore(dumpFromStream('-', stream(bytes.length - 10)), target, { mode: 'append' }),
    ).rejects.toMatchObject({ code: 'corrupt' })
    expect((await postgres({ url: server.url(target) }).probe(createRunContext())).database?.empty).toBe(true)
    await restore(dumpFromStream('-', stream(bytes.length)), target, { mode: 'append' })
    expect(plainDump(target)).toBe(original)
    await restore(dumpFromStream('-', stream(bytes.length)), target, { mode: 'clean' })
    expect(plainDump(target)).toBe(original)
  })

  it('a dump that drops is not appended', async () => {
    const path = join(directory, 'drops')
    shell(`pg_dump --clean shop > '${path}'`)
    const target = `t${++count}`
    await server.createDatabase(target)
    await expect(restore(dumpOnDisk(path), target, { mode: 'append' })).rejects.toMatchObject({
      code: 'restore-refused',
    })
  })
})

describe('what is refused', () => {
  it.each<[string, string, RegExp]>([
    ['pg_dumpall', 'pg_dumpall --no-role-passwords', /pg_dumpall/],
    ['a dump that makes its database', 'pg_dump --create shop', /--create/],
    ['a tar archive', 'pg_dump -Ft shop', /tar archive/],
    ['another compression', 'pg_dump shop | xz -0', /xz/],
  ])('%s', async (_, line, message) => {
    const path = join(directory, `refused-${++count}`)
    shell(`${line} > '${path}'`)
    const target = `t${++count}`
    await expect(restore(dumpOnDisk(path), target)).rejects.toMatchObject({
      code: 'restore-refused',
      message: expect.stringMatching(message),
    })
  })

  it('a dump that holds a command for psql, which never runs', async () => {
    const path = join(directory, 'hostile')
    const hostile = plainDump('shop').replace('CREATE VIEW', `\\! touch '${join(directory, 'owned')}'\nCREATE VIEW`)
    writeFileSync(path, hostile)
    await expect(restore(dumpOnDisk(path), `t${++count}`)).rejects.toMatchObject({ code: 'restore-refused' })
    expect(readdirSync(directory)).not.toContain('owned')
  })

  it('an encrypted one without its key', async () => {
    const path = join(directory, 'sealed')
    shell(`pg_dump shop | age -r "$RECIPIENT" > '${path}'`)
    const target = `t${++count}`
    await expect(restore(dumpOnDisk(path), target, { ciphers: [] })).rejects.toMatchObject({ code: 'wrong-key' })
  })
})

describe('a file of a backup', () => {
  it('is restored by its manifest, which checks its hashes; and by its content alone', async () => {
    const backups = join(directory, 'backups')
    const storage = local({ path: backups })
    const source = postgres({ url: server.url('shop') })
    await using holdfast = createHoldfast({ jobs: { shop: { source, storages: [storage] } } })
    const { backup } = await holdfast.backup()
    const [{ key = '' } = {}] = backup.manifest.parts
    const target = `t${++count}`
    const result = await restore(dumpOnStorage(storage, key), target)
    expect([result.manifest.id, plainDump(target)]).toEqual([backup.id, original])

    const alone = join(directory, 'alone')
    mkdirSync(alone)
    const copied = join(alone, key.slice(key.lastIndexOf('/') + 1))
    copyFileSync(join(backups, key), copied)
    const other = `t${++count}`
    expect((await restore(dumpOnDisk(copied), other)).manifest.id).not.toBe(backup.id)
    expect(plainDump(other)).toBe(original)

    const bytes = readFileSync(copied)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    writeFileSync(join(backups, key), bytes, { mode: 0o600 })
    await expect(restore(dumpOnDisk(join(backups, key)), `t${++count}`)).rejects.toMatchObject({ code: 'corrupt' })
  })
})

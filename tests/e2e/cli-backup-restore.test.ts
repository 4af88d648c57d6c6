import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, type S3Server, startPostgres, startS3Server } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backupFilesIn, type Ended, holdfast, holdfastAtTerminal } from './cli-process.js'

let server: PostgresServer
let bucket: S3Server
let cwd: string
const said: Ended[] = []

beforeAll(async () => {
  ;[server, bucket] = await Promise.all([startPostgres(), startS3Server()])
  cwd = await mkdtemp(join(tmpdir(), 'holdfast-cli-e2e-'))
  await bucket.createBucket('acme')
  await server.createDatabase('shop')
  await server.sql(
    'shop',
    `CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL);
     INSERT INTO item SELECT n, md5(n::text) FROM generate_series(1, 20000) n;
     CREATE TABLE "odd ""name""" (at timestamptz, it int REFERENCES item);
     INSERT INTO "odd ""name""" SELECT now(), n FROM generate_series(1, 100) n;
     CREATE VIEW cheap AS SELECT * FROM item WHERE id < 10`,
  )
})

afterAll(async () => {
  await Promise.all([server?.stop(), bucket?.stop()])
  await rm(cwd, { recursive: true, force: true })
})

function s3Environment(): Record<string, string> {
  const { endpoint, accessKeyId, secretAccessKey } = bucket
  return { S3_ENDPOINT: endpoint, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey }
}

async function run(...argv: string[]): Promise<Ended> {
  const ended = await holdfast({ cwd, env: s3Environment() }, ...argv)
  said.push(ended)
  return ended
}

/** What tells two databases apart: their tables with all rows, and views. */
async function contentsOf(database: string): Promise<unknown> {
  const tables = await server.sql<{ name: string }>(
    database,
    `SELECT oid::regclass::text AS name FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1`,
  )
  const hashes = tables.map(async ({ name }) => {
    const [row] = await server.sql<{ hash: string }>(
      database,
      `SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) AS hash FROM ${name} t`,
    )
    return [name, row?.hash]
  })
  return Promise.all(hashes)
}

const places = ['--from', './disk', '--from', 's3://acme/prod']

describe('from a backup to a restore', () => {
  it('backs up to two storages in one pass', async () => {
    const { code, out, err } = await run(
      'backup',
      server.url('shop'),
      '--to',
      './disk',
      '--to',
      's3://acme/prod',
      '--json',
    )
    expect(err).toContain('The password on the command line can be seen')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      status: 'complete',
      backup: { job: 'shop', database: 'shop', engine: 'postgres' },
      copies: [
        { storage: './disk', status: 'complete' },
        { storage: 's3://acme/prod', status: 'complete' },
      ],
      warnings: [],
    })
  })

  it('lists it, with both copies', async () => {
    const { code, out } = await run('list', ...places)
    expect(code).toBe(0)
    expect(out.split('\n')[1]).toMatch(/^[0-9a-f]{8} +shop +shop +just now .* \.\/disk, s3:\/\/acme\/prod +never$/)
    const { out: json } = await run('list', ...places, '--json')
    expect(JSON.parse(json)).toMatchObject({ backups: [{ copies: [{ status: 'complete' }, { status: 'complete' }] }] })
  })

  it('shows it', async () => {
    const { code, out } = await run('show', 'latest', ...places)
    expect(code).toBe(0)
    expect(out).toContain('pg_restore')
    expect(out).toMatch(/public\.item +20000/)
  })

  it('verifies every copy with the tools of the engine', async () => {
    const { code, out } = await run('verify', ...places, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      status: 'intact',
      backups: [{ copies: [{ storage: './disk' }, { storage: 's3://acme/prod' }] }],
    })
    const { out: json } = await run('list', ...places, '--json')
    const { plainBytes, storedBytes } = JSON.parse(json).backups[0]
    expect(plainBytes).toBeGreaterThan(storedBytes)
  })

  it.each([
    ['./disk', 'from_disk'],
    ['s3://acme/prod', 'from_s3'],
  ])('restores from %s into a new database that equals the source', async (place, database) => {
    const { code, out } = await run('restore', 'latest', '--from', place, '--into', server.url(database), '--yes')
    expect(code).toBe(0)
    expect(out).toMatch(/is restored into 127\.0\.0\.1:\d+\/from_/)
    expect(await contentsOf(database)).toEqual(await contentsOf('shop'))
  })

  it('refuses to create a database that holds data, and touches nothing', async () => {
    await server.sql('from_disk', 'INSERT INTO item VALUES (-1, $$mine$$)')
    const argv = ['restore', 'latest', '--from', './disk', '--into', server.url('from_disk'), '--mode', 'create']
    const { code, err } = await run(...argv, '--yes')
    expect(code).toBe(6)
    expect(err).toContain('holds 2 tables')
    expect(await server.sql('from_disk', 'SELECT name FROM item WHERE id = -1')).toEqual([{ name: 'mine' }])
  })

  it('changes places with a database that holds data, goes back, and cleans up', async () => {
    const into = ['--into', server.url('from_disk')]
    const from = ['restore', 'latest', '--from', './disk', ...into]
    const seen = await run(...from, '--dry-run')
    expect([seen.code, seen.out]).toEqual([0, expect.stringContaining('Nothing is in the way')])
    const wrong = await run(...from, '--yes', '--assert', 'SELECT count(*) > 0 FROM item', '--assert', 'SELECT false')
    expect([wrong.code, wrong.err]).toEqual([6, expect.stringContaining('SELECT false: it returned false')])
    expect(await server.sql('from_disk', 'SELECT name FROM item WHERE id = -1')).toEqual([{ name: 'mine' }])
    const done = await run(...from, '--yes', '--assert', 'SELECT count(*) > 0 FROM item')
    expect([done.code, done.out]).toEqual([0, expect.stringMatching(/old database is from_disk__before_[0-9a-f]{8}/)])
    expect(await contentsOf('from_disk')).toEqual(await contentsOf('shop'))
    const back = await run('restore', 'undo', ...into, '--yes')
    expect([back.code, back.out]).toEqual([0, expect.stringMatching(/is back as .*from_disk; what was there is now/)])
    expect(await server.sql('from_disk', 'SELECT name FROM item WHERE id = -1')).toEqual([{ name: 'mine' }])
    expect((await run('restore', 'cleanup', ...into)).out).toMatch(/^kept .* until .*--all drops it now/)
    expect((await run('restore', 'cleanup', ...into, '--all', '--yes')).out).toMatch(/^dropped from_disk__before_/)
    const beside = `SELECT 1 FROM pg_database WHERE datname LIKE 'from_disk\\_\\_%'`
    expect(await server.sql('postgres', beside)).toEqual([])
  })

  it('refuses without a terminal and without --yes', async () => {
    const { code, err } = await run(
      'restore',
      'latest',
      '--from',
      './disk',
      '--into',
      server.url('from_disk'),
      '--drop',
    )
    expect(code).toBe(1)
    expect(err).toContain('Add --yes once you are sure')
    expect(await server.sql('from_disk', 'SELECT name FROM item WHERE id = -1')).toEqual([{ name: 'mine' }])
  })

  it('asks at a terminal for the name of the database, shows a bar, and replaces it', async () => {
    writeFileSync(join(cwd, 'target'), server.url('from_disk'))
    const argv = ['restore', 'latest', '--from', './disk', '--into-file', 'target', '--drop']
    const wrong = await holdfastAtTerminal({ cwd, input: 'yes\n' }, ...argv)
    expect(wrong.out).toContain('was not confirmed')
    expect(wrong.code).toBe(1)
    const right = await holdfastAtTerminal({ cwd, input: 'from_disk\n' }, ...argv)
    said.push(wrong, right)
    expect(right.code).toBe(0)
    expect(right.out).toContain('all that the database holds now')
    expect(right.out).toMatch(/restoring.*[█░]{24}.*%/)
    expect(right.out).toContain('\u001b[32mrestored')
    expect(await contentsOf('from_disk')).toEqual(await contentsOf('shop'))
  })

  it('asks at a terminal for a password that the server wants', async () => {
    const url = new URL(server.url('shop'))
    url.password = ''
    let asked = false
    const ended = await holdfastAtTerminal(
      {
        cwd,
        onOutput: (text, child) => {
          if (asked || !text.includes('Password for')) return
          asked = true
          child.stdin?.write(`${server.password}\r`)
        },
      },
      ...['backup', url.href, '--to', './asked', '--schema-only'],
    )
    said.push(ended)
    expect(ended.out).toContain('of shop is')
    expect(ended.code).toBe(0)
  })

  it('downloads and writes out what pg_restore reads', async () => {
    const { code } = await run('download', 'latest', '--from', 's3://acme/prod', '-o', 'shop.dump.zst')
    expect(code).toBe(0)
    const [stored] = backupFilesIn(join(cwd, 'disk')).filter((file) => file.endsWith('.dump.zst'))
    expect(readFileSync(join(cwd, 'shop.dump.zst')).equals(readFileSync(stored ?? ''))).toBe(true)
    expect((await run('cat', 'latest', '--from', './disk')).out.startsWith('PGDMP')).toBe(true)
  })

  it('copies a backup elsewhere, where it is whole', async () => {
    expect((await run('copy', 'latest', '--from', 's3://acme/prod', '--to', './third')).code).toBe(0)
    expect((await run('verify', '--from', './third')).code).toBe(0)
  })

  it('finds everything in place, and keeps the contract of its storages', async () => {
    const env = { ...s3Environment(), DATABASE_URL: server.url('shop'), S3_BUCKET: 'acme', S3_PREFIX: 'prod' }
    const doctor = await holdfast({ cwd, env }, 'doctor', '--verbose')
    said.push(doctor)
    expect(doctor.out).toContain('it can be dumped')
    expect(doctor.out).toContain('"Sid": "HoldfastObjects"')
    expect(doctor.code).toBe(0)
    const check = await run('storage', 'check', 's3://acme/check', '--json')
    expect(JSON.parse(check.out)).toMatchObject({ status: 'kept' })
    expect(check.code).toBe(0)
  })

  it('never printed a password', () => {
    expect(said.length).toBeGreaterThan(15)
    for (const { out, err } of said) {
      expect(out + err).not.toContain(server.password)
      expect(out + err).not.toContain(bucket.secretAccessKey)
    }
  })
})

describe('with a config file', () => {
  it('runs TypeScript, found upward, whose packages come with the command', async () => {
    const project = await mkdtemp(join(tmpdir(), 'holdfast-cli-project-'))
    writeFileSync(
      join(project, 'holdfast.config.ts'),
      `import { defineConfig, type HoldfastConfig } from '@holdfast/core'
       import { postgres } from '@holdfast/driver-postgres'
       import { local } from '@holdfast/storage-local'
       const config: HoldfastConfig = defineConfig({
         storages: { disk: local({ path: './backups' }) },
         jobs: { shop: { source: postgres({ url: { env: 'SHOP_URL' } }), storages: ['disk'] } },
       })
       export default config`,
    )
    const sub = await mkdtemp(join(project, 'sub-'))
    const env = { SHOP_URL: server.url('shop'), BACKUP_DIR: './ignored' }
    const backup = await holdfast({ cwd: sub, env }, 'backup')
    expect(backup.err).toContain('BACKUP_DIR is ignored')
    expect(backup.code).toBe(0)
    expect(backupFilesIn(join(project, 'backups')).length).toBe(2)
    expect((await holdfast({ cwd: sub, env }, 'verify', 'shop')).code).toBe(0)
    await rm(project, { recursive: true, force: true })
  })
})

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, type S3Server, startPostgres, startS3Server } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runIn } from '../../packages/cli/src/testing/test-world.js'

let server: PostgresServer
let s3: S3Server
let cwd: string

beforeAll(async () => {
  server = await startPostgres()
  s3 = await startS3Server()
  await s3.createBucket('acme')
  cwd = mkdtempSync(join(tmpdir(), 'holdfast-cli-file-'))
  await server.createDatabase('shop')
  await server.sql('shop', 'create table t as select n from generate_series(1, 1000) n')
  writeFileSync(join(cwd, 'shop.dump'), dump('pg_dump -Fc shop'))
})

afterAll(async () => {
  await server.stop()
  await s3.stop()
  rmSync(cwd, { recursive: true, force: true })
})

function dump(line: string): Buffer {
  const { binDir, host, port, user, password } = server
  const env = {
    PATH: `${binDir}:${process.env.PATH}`,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
  }
  return spawnSync('bash', ['-c', line], { env, maxBuffer: 1 << 28 }).stdout
}

/** The URL without its password, which comes by the environment. */
function into(database: string): { argv: string[]; env: Record<string, string> } {
  const env = { S3_ACCESS_KEY_ID: s3.accessKeyId, S3_SECRET_ACCESS_KEY: s3.secretAccessKey }
  const file = join(cwd, `url-${database}`)
  writeFileSync(file, server.url(database))
  return { argv: ['--into-file', file], env }
}

const rows = async (database: string): Promise<unknown> =>
  (await server.sql(database, 'select count(*)::int as rows from t'))[0]?.rows

describe('holdfast restore FILE', () => {
  it('restores a file, after showing what it is and asking', async () => {
    const { argv, env } = into('from_file')
    const world = { cwd, env, terminal: true, typed: ['yes'] }
    const { code, out, err } = await runIn(world, 'restore', 'shop.dump', ...argv)
    expect(err).toMatch(/Holds +a dump of postgres(.|\n)*Into .*from_file, which is made new/)
    expect([code, out]).toEqual([0, expect.stringContaining('shop.dump is restored into')])
    expect((err + out).match(/runs as a superuser/g), 'told before the question, and not again').toHaveLength(1)
    expect(await rows('from_file')).toBe(1000)
  })

  it('restores standard input, aside where the database holds data', async () => {
    const { argv, env } = into('from_file')
    const input = dump('pg_dump shop | gzip')
    const { code, json, err } = await runIn({ cwd, env, input }, 'restore', '-', ...argv, '--yes', '--json')
    expect(err).toMatch(/Holds +a dump of postgres 15.*, in gzip\nInto .* exists, and holds 1 table/)
    expect([code, json()]).toEqual([
      0,
      expect.objectContaining({ status: 'restored', mode: 'staged', engine: 'postgres' }),
    ])
    expect(await rows('from_file')).toBe(1000)
  })

  it('shows what it would do, and does nothing', async () => {
    const { argv, env } = into('never_made')
    const { code, out } = await runIn({ cwd, env }, 'restore', './shop.dump', ...argv, '--dry-run')
    expect([code, out]).toEqual([0, expect.stringContaining('never_made, which is made new')])
    const json = (await runIn({ cwd, env }, 'restore', './shop.dump', ...argv, '--dry-run', '--json')).json()
    expect(json).toMatchObject({ status: 'preview', mode: 'create', problems: [] })
    expect(await server.sql('shop', "select 1 from pg_database where datname = 'never_made'")).toEqual([])
  })

  it('asks for the name of a database that loses what it holds', async () => {
    const { argv, env } = into('from_file')
    const world = { cwd, env, terminal: true, typed: ['yes'] }
    const { code, err } = await runIn(world, 'restore', './shop.dump', ...argv, '--clean')
    expect([code, err]).toEqual([1, expect.stringContaining('Type the name of the database (from_file)')])
  })

  it('restores an object of S3, of a backup and of anybody', async () => {
    const place = `s3://acme/dir?endpoint=${encodeURIComponent(s3.endpoint)}&pathStyle=true`
    const source = into('shop')
    const world = { cwd, env: source.env }
    const made = await runIn(world, 'backup', '--url-file', source.argv[1] ?? '', '--to', place, '--json')
    expect(made.code).toBe(0)
    const listed = await runIn(world, 'list', '--from', place)
    expect(listed.out).toMatch(/ s3:\/\/acme\/dir /) // the whole URL would make the table twice as wide
    expect(listed.out).not.toMatch(/endpoint=|RATIO/) // of a dump that went to the compressor by descriptor
    expect((await runIn(world, 'verify', 'latest', '--from', place)).code).toBe(0)
    expect((await runIn(world, 'list', '--from', place)).out).toMatch(/RATIO[\s\S]* × /)
    const shown = (await runIn(world, 'show', 'latest', '--from', place, '--json')).json()
    const { key = '' } =
      (shown as { backup: { manifest: { parts: { key: string }[] } } }).backup.manifest.parts[0] ?? {}
    const { argv, env } = into('from_s3')
    const url = place.replace('/dir', `/dir/${key}`)
    const { code, out, err } = await runIn({ cwd, env }, 'restore', url, ...argv, '--yes')
    expect((err + out).match(/runs as a superuser/g)).toHaveLength(1)
    expect([code, err]).toEqual([0, expect.stringMatching(/Holds +backup [0-9a-f]{8} of shop/)])
    expect(await rows('from_s3')).toBe(1000)
  })
})

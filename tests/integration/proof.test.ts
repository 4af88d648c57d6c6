import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHoldfast, type Holdfast, type HoldfastConfig } from '@holdfast/core'
import { postgres } from '@holdfast/driver-postgres'
import { local } from '@holdfast/storage-local'
import { s3 } from '@holdfast/storage-s3'
import { nastyDatabase, type PostgresServer, type S3Server, startPostgres, startS3Server } from '@holdfast/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Databases that hurt: backed up to disk and S3, verified, restored from each, and compared dump by dump. */

let server: PostgresServer
let bucket: S3Server
let directory: string

beforeAll(async () => {
  ;[server, bucket] = await Promise.all([startPostgres(), startS3Server()])
  await bucket.createBucket('proof')
  directory = mkdtempSync(join(tmpdir(), 'holdfast-proof-'))
})

afterAll(async () => {
  await Promise.all([server.stop(), bucket.stop()])
  rmSync(directory, { recursive: true, force: true })
})

function holdfastFor(database: string, format: 'custom' | 'plain' = 'custom'): Holdfast {
  const { accessKeyId, secretAccessKey, endpoint } = bucket
  const config: HoldfastConfig = {
    storages: {
      disk: local({ path: join(directory, `${database}-${format}`) }),
      offsite: s3({ bucket: 'proof', prefix: `${database}-${format}`, endpoint, accessKeyId, secretAccessKey }),
    },
    jobs: { proof: { source: postgres({ url: server.url(database), format }), storages: ['disk', 'offsite'] } },
  }
  return createHoldfast(config)
}

/** SHA-256 of the plain dump: two databases with the same are the same, as far as pg_dump can tell. */
async function fingerprint(database: string): Promise<string> {
  const child = spawn(
    join(server.binDir, 'pg_dump'),
    ['-h', server.host, '-p', String(server.port), '-U', server.user, '--restrict-key=x'],
    {
      env: { PATH: process.env.PATH, PGPASSWORD: server.password, PGDATABASE: database },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const hash = createHash('sha256')
  const exited = once(child, 'exit')
  for await (const chunk of child.stdout) hash.update(chunk)
  expect(await exited).toEqual([0, null])
  return hash.digest('hex')
}

/** Backs up to both storages, verifies both copies, restores from each, or those chosen, into a new database and compares. */
async function prove(
  database: string,
  format: 'custom' | 'plain' = 'custom',
  storages: readonly string[] = ['disk', 'offsite'],
): Promise<void> {
  await using holdfast = holdfastFor(database, format)
  const { backup, status } = await holdfast.backup('proof')
  expect(status).toBe('complete')
  expect(await holdfast.verify(backup.id)).toMatchObject({
    status: 'intact',
    copies: [{ status: 'intact' }, { status: 'intact' }],
  })
  const expected = await fingerprint(database)
  for (const storage of storages) {
    const target = `${database}_${format}_${storage}`
    const into = postgres({ url: server.url(target) })
    expect(await holdfast.restore(backup.id, { storage, into })).toMatchObject({ created: true, storage })
    expect(await fingerprint(target)).toBe(expected)
    await server.sql('postgres', `DROP DATABASE ${target}`)
  }
}

describe('a database comes back the same', () => {
  it('with every type, odd names, large objects, partitions, views, triggers and extensions', async () => {
    await server.createDatabase('nasty')
    await server.sql('nasty', nastyDatabase)
    await prove('nasty')
    await prove('nasty', 'plain')
  })

  it('with 2,000 tables', { timeout: 600_000 }, async () => {
    await server.createDatabase('many')
    await server.sql(
      'many',
      `DO $$ BEGIN
         FOR n IN 1..2000 LOOP
           EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, note text)', 'table ' || n);
           EXECUTE format('INSERT INTO %I VALUES (1, %L)', 'table ' || n, 'row of ' || n);
           IF n % 100 = 0 THEN COMMIT; END IF;
         END LOOP;
       END $$`,
    )
    await prove('many', 'custom', ['disk'])
  })

  it('with a row of 200 MB', { timeout: 600_000 }, async () => {
    await server.createDatabase('huge')
    await server.sql(
      'huge',
      `CREATE TABLE blobs (id int PRIMARY KEY, body bytea);
       ALTER TABLE blobs ALTER COLUMN body SET STORAGE EXTERNAL;
       INSERT INTO blobs SELECT 1, string_agg(sha512(n::text::bytea), '') FROM generate_series(1, 3276800) n`,
    )
    expect(await server.sql('huge', 'SELECT octet_length(body) AS bytes FROM blobs')).toEqual([{ bytes: 209_715_200 }])
    await prove('huge', 'custom', ['offsite'])
  })

  it('and is of one moment, while pgbench writes to it', { timeout: 600_000 }, async () => {
    await server.createDatabase('bench')
    const env = { PATH: process.env.PATH, PGPASSWORD: server.password }
    const args = ['-h', server.host, '-p', String(server.port), '-U', server.user, 'bench']
    const pgbench = join(server.binDir, 'pgbench')
    execFileSync(pgbench, ['--initialize', '--scale=5', '--quiet', ...args], { env, stdio: 'pipe' })
    const writers = spawn(pgbench, ['--client=4', '--time=120', ...args], { env, stdio: 'ignore' })
    const ended = once(writers, 'exit')
    try {
      await using holdfast = holdfastFor('bench')
      const written = 'SELECT count(*)::int AS n FROM pgbench_history'
      await expect
        .poll(() => server.sql<{ n: number }>('bench', written).then(([row]) => row?.n ?? 0))
        .toBeGreaterThan(100)
      for (const target of ['moment_1', 'moment_2']) {
        const { backup } = await holdfast.backup()
        await holdfast.restore(backup.id, { into: postgres({ url: server.url(target) }) })
        // pgbench changes three balances and the history in one transaction: only one moment has four equal sums.
        const sums = await server.sql(
          target,
          `SELECT (SELECT sum(abalance) FROM pgbench_accounts) AS accounts, (SELECT sum(tbalance) FROM pgbench_tellers) AS tellers,
                  (SELECT sum(bbalance) FROM pgbench_branches) AS branches, (SELECT sum(delta) FROM pgbench_history) AS history`,
        )
        const { accounts, ...others } = sums[0] ?? {}
        expect(others).toEqual({ tellers: accounts, branches: accounts, history: accounts })
        const counted = await server.sql<{ n: number }>(target, written)
        const history = backup.manifest.inventory?.tables.find(({ name }) => name === 'pgbench_history')
        expect({ exact: backup.manifest.inventory?.exact, rows: history?.rows }).toEqual({
          exact: true,
          rows: counted[0]?.n,
        })
      }
    } finally {
      writers.kill()
      await ended
    }
    await prove('bench')
    await prove('bench', 'plain')
  })
})

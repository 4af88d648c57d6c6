import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHoldfast, createRunContext, type Holdfast, type Storage } from '@holdfast/core'
import { type PostgresOptions, postgres } from '@holdfast/driver-postgres'
import { local } from '@holdfast/storage-local'
import { s3 } from '@holdfast/storage-s3'
import {
  type FaultyProxy,
  type PostgresServer,
  type S3Server,
  startFaultyProxy,
  startPostgres,
  startS3Server,
} from '@holdfast/test-support'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

/** What each fault of the failure model leads to, with a real database, a real directory and a real S3 server. */

let server: PostgresServer
let bucket: S3Server
let proxy: FaultyProxy
let root: string
let directory: string
let disk: Storage
let offsite: Storage
let tests = 0

beforeAll(async () => {
  ;[server, bucket] = await Promise.all([startPostgres(), startS3Server()])
  proxy = await startFaultyProxy(bucket.endpoint)
  await bucket.createBucket('faults')
  root = mkdtempSync(join(tmpdir(), 'holdfast-faults-'))
  await server.createDatabase('shop')
  // 25 MB that hardly compress: several parts of an upload.
  await server.sql(
    'shop',
    `CREATE TABLE noise AS SELECT n, gen_random_uuid()::text || gen_random_uuid() AS a FROM generate_series(1, 300000) n;
     CREATE TABLE items (id int PRIMARY KEY, name text); INSERT INTO items VALUES (1, 'kelp');`,
  )
})

afterAll(async () => {
  await proxy.stop()
  await Promise.all([server.stop(), bucket.stop()])
  rmSync(root, { recursive: true, force: true })
})

beforeEach(() => {
  proxy.clear()
  directory = join(root, `disk-${++tests}`)
  disk = local({ path: directory, name: 'disk' })
  const { accessKeyId, secretAccessKey } = bucket
  offsite = s3({
    bucket: 'faults',
    prefix: `test-${tests}`,
    endpoint: proxy.endpoint,
    accessKeyId,
    secretAccessKey,
    name: 'offsite',
  })
})

function holdfastOn(storages: readonly Storage[], options: PostgresOptions = {}, compress?: string): Holdfast {
  const source = postgres({ url: server.url('shop'), ...options })
  return createHoldfast({ jobs: { shop: { source, storages, ...(compress !== undefined && { compress }) } } })
}

/** Everything on a storage but its identity. */
async function keysOn(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list('', createRunContext())) if (key !== '.holdfast/storage.json') keys.push(key)
  return keys
}

/** A directory of client programs in which pg_dump is this script; `$REAL` is the true one. */
function clientsWith(script: string): string {
  const binDir = join(root, `bin-${tests}`)
  mkdirSync(binDir)
  for (const name of readdirSync(server.binDir))
    if (name !== 'pg_dump') symlinkSync(join(server.binDir, name), join(binDir, name))
  const real = join(server.binDir, 'pg_dump')
  const version = `case "$*" in *--version*) exec ${real} --version;; esac`
  writeFileSync(join(binDir, 'pg_dump'), `#!/bin/bash\nREAL=${real}\n${version}\n${script}\n`)
  chmodSync(join(binDir, 'pg_dump'), 0o755)
  return binDir
}

describe('a dump that dies after its output', () => {
  it.each(['zstd', 'gzip', 'none'])('publishes nothing on any storage (%s)', async (compress) => {
    const binDir = clientsWith('"$REAL" "$@"; echo "server closed the connection unexpectedly" >&2; exit 1')
    await using holdfast = holdfastOn([disk, offsite], { binDir }, compress)
    await expect(holdfast.backup()).rejects.toMatchObject({
      code: expect.stringMatching(/dump-failed|source-unreachable/),
      message: expect.stringContaining('server closed the connection'),
    })
    expect([await keysOn(disk), await keysOn(offsite)]).toEqual([[], []])
    expect(await bucket.openUploads('faults')).toEqual([])
  })
})

describe('a dump that exits 0 without its end', () => {
  it('is refused where its bytes pass through this process', async () => {
    const binDir = clientsWith('"$REAL" "$@" | head -c 5000000')
    await using holdfast = holdfastOn([disk], { binDir, format: 'plain' }, 'gzip')
    await expect(holdfast.backup()).rejects.toMatchObject({ code: 'dump-incomplete' })
    expect(await keysOn(disk)).toEqual([])
  })

  it.each(['plain', 'custom'] as const)('is found by the first verification where they do not (%s)', async (format) => {
    const binDir = clientsWith('"$REAL" "$@" | head -c 5000000')
    await using holdfast = holdfastOn([disk], { binDir, format })
    const { backup } = await holdfast.backup()
    expect(await holdfast.verify(backup.id)).toMatchObject({
      status: 'corrupt',
      copies: [{ problem: expect.any(String) }],
    })
    expect((await holdfast.list()).backups[0]?.copies[0]).toMatchObject({ status: 'corrupt' })
    await expect(holdfast.restore('latest')).rejects.toMatchObject({ code: 'no-match' })
  })
})

describe('a dump that warns', () => {
  it('is complete with warnings, or fails if the job says so', async () => {
    const binDir = clientsWith(
      'echo "pg_dump: warning: there are circular foreign-key constraints" >&2; exec "$REAL" "$@"',
    )
    await using lenient = holdfastOn([disk], { binDir })
    expect(await lenient.backup()).toMatchObject({
      status: 'complete_with_warnings',
      warnings: [expect.stringContaining('circular')],
    })
    const source = postgres({ url: server.url('shop'), binDir })
    await using strict = createHoldfast({ jobs: { shop: { source, storages: [disk], onWarning: 'fail' } } })
    await expect(strict.backup()).rejects.toMatchObject({ code: 'dump-failed' })
    expect((await strict.list()).backups).toHaveLength(1)
  })
})

describe('a dump that hangs', () => {
  it('is ended after the idle time', async () => {
    const binDir = clientsWith('"$REAL" "$@" | head -c 1000000; sleep 600')
    await using holdfast = holdfastOn([disk], { binDir, idleTimeout: '1s' }, 'gzip')
    await expect(holdfast.backup()).rejects.toMatchObject({ code: 'timed-out' })
    expect(await keysOn(disk)).toEqual([])
  })

  it('waiting for a lock is ended after the lock timeout', async () => {
    await using holdfast = holdfastOn([disk], { lockTimeout: '500ms' })
    const locked = server.sql('shop', 'BEGIN; LOCK TABLE items IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3600)')
    const ended = expect(locked).rejects.toThrow()
    const holders = `SELECT pid FROM pg_locks WHERE relation = 'items'::regclass AND mode = 'AccessExclusiveLock'`
    await expect.poll(() => server.sql('shop', holders), { timeout: 20_000 }).toHaveLength(1)
    try {
      await expect(holdfast.backup()).rejects.toMatchObject({ message: expect.stringMatching(/lock/i) })
    } finally {
      await server.sql('shop', `SELECT pg_terminate_backend(pid) FROM (${holders}) AS held`)
    }
    expect(await keysOn(disk)).toEqual([])
    await ended
  })
})

describe('a full disk', () => {
  const mounted: string[] = []
  afterAll(() => {
    for (const path of mounted) execFileSync('umount', [path])
  })

  function smallDisk(): string {
    const path = join(root, `small-${tests}`)
    mkdirSync(path)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', path])
    mounted.push(path)
    return path
  }

  it('fails the run with what to do, and leaves the space free', async () => {
    const path = smallDisk()
    const small = local({ path, name: 'small' })
    await using holdfast = holdfastOn([small])
    await expect(holdfast.backup()).rejects.toMatchObject({
      code: 'too-few-copies',
      message: expect.stringMatching(/space/i),
      hint: expect.any(String),
    })
    expect(await keysOn(small)).toEqual([])
    expect(execFileSync('du', ['-sk', path]).toString()).toMatch(/^\d{1,2}\s/)
  })

  it('of one storage leaves the other at work, and is filled in once there is space', async () => {
    const path = smallDisk()
    await using holdfast = holdfastOn([local({ path, name: 'small' }), disk])
    expect(await holdfast.backup()).toMatchObject({
      status: 'partial',
      copies: [
        { storage: 'small', status: 'failed', error: expect.stringMatching(/space/i) },
        { storage: 'disk', status: 'complete' },
      ],
    })
    execFileSync('mount', ['-o', 'remount,size=64m', path])
    expect(await holdfast.backup()).toMatchObject({ status: 'complete', filled: [{ from: 'disk', to: 'small' }] })
    expect((await holdfast.list()).backups.map(({ copies }) => copies.length)).toEqual([2, 2])
  })
})

describe('S3 that fails', () => {
  it('for a moment is waited for', async () => {
    proxy.inject({ on: 'UploadPart', times: 2, fault: { kind: 'answer', status: 503, code: 'SlowDown' } })
    proxy.inject({ on: 'CompleteMultipartUpload', times: 1, fault: { kind: 'drop', after: true } })
    await using holdfast = holdfastOn([offsite])
    const { backup } = await holdfast.backup()
    expect((await holdfast.verify(backup.id)).status).toBe('intact')
  })

  it('for long leaves the run partial, and the next run fills in the copy', async () => {
    proxy.inject({
      on: ['UploadPart'],
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'answer', status: 500, code: 'InternalError' },
    })
    await using holdfast = holdfastOn([disk, offsite])
    const first = await holdfast.backup()
    expect(first).toMatchObject({
      status: 'partial',
      copies: [{ status: 'complete' }, { storage: 'offsite', status: 'failed' }],
    })
    proxy.clear()
    expect(await bucket.openUploads('faults')).toEqual([])
    expect(await holdfast.backup()).toMatchObject({ status: 'complete', filled: [{ to: 'offsite' }] })
    expect(await holdfast.verify(first.backup.id)).toMatchObject({
      status: 'intact',
      copies: [{ status: 'intact' }, { status: 'intact' }],
    })
  })

  it('to answer at all leaves the copy on disk', async () => {
    const { accessKeyId, secretAccessKey } = bucket
    const gone = s3({ bucket: 'nowhere', endpoint: proxy.endpoint, accessKeyId, secretAccessKey, name: 'offsite' })
    const denied = s3({
      bucket: 'faults',
      endpoint: proxy.endpoint,
      accessKeyId,
      secretAccessKey: 'wrong',
      name: 'offsite',
    })
    for (const [storage, error] of [
      [gone, /bucket/i],
      [denied, /key|denied|signature/i],
    ] as const) {
      await using holdfast = holdfastOn([disk, storage])
      expect(await holdfast.backup()).toMatchObject({
        status: 'partial',
        copies: [{}, { status: 'failed', error: expect.stringMatching(error) }],
      })
    }
  })
})

describe('a damaged copy', () => {
  async function flip(key: string): Promise<void> {
    const path = join(directory, key)
    const bytes = readFileSync(path)
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 0x10, bytes.length >> 1)
    writeFileSync(path, bytes)
  }

  async function databases(): Promise<string[]> {
    return (await server.sql<{ datname: string }>('postgres', 'SELECT datname FROM pg_database')).map(
      ({ datname }) => datname,
    )
  }

  it.each(['create', 'replace', 'clean', 'append'] as const)('never reaches the target (%s)', async (mode) => {
    await using holdfast = holdfastOn([disk])
    const { backup } = await holdfast.backup()
    await flip(backup.manifest.parts[0]?.key ?? '')
    const target = `damaged_${mode}`
    if (mode !== 'create') {
      await server.createDatabase(target)
      await server.sql(
        target,
        `CREATE TABLE items (id int PRIMARY KEY, name text); INSERT INTO items VALUES (7, 'before')`,
      )
    }
    const before = await databases()
    const into = postgres({ url: server.url(target) })
    await expect(holdfast.restore('latest', { into, mode })).rejects.toMatchObject({ code: 'corrupt' })
    expect(await databases()).toEqual(before)
    if (mode !== 'create') expect(await server.sql(target, 'SELECT * FROM items')).toEqual([{ id: 7, name: 'before' }])
  })

  it('is passed over for a good one', async () => {
    await using holdfast = holdfastOn([disk, offsite])
    const { backup } = await holdfast.backup()
    await flip(backup.manifest.parts[0]?.key ?? '')
    const into = postgres({ url: server.url('from_offsite') })
    expect(await holdfast.restore('latest', { into })).toMatchObject({ storage: 'offsite', created: true })
    expect(await server.sql('from_offsite', 'SELECT count(*)::int AS n FROM noise')).toEqual([{ n: 300_000 }])
  })

  it('that was cut short is found by a listing, by verification and by restore', async () => {
    await using holdfast = holdfastOn([disk])
    const { backup } = await holdfast.backup()
    const path = join(directory, backup.manifest.parts[0]?.key ?? '')
    writeFileSync(path, readFileSync(path).subarray(0, -1))
    expect((await holdfast.list()).backups[0]?.copies[0]).toMatchObject({ status: 'missing' })
    expect((await holdfast.verify(backup.id)).status).toBe('corrupt')
    const into = postgres({ url: server.url('from_cut') })
    await expect(holdfast.restore(backup.id, { into })).rejects.toMatchObject({ code: 'corrupt' })
    expect(await databases()).not.toContain('from_cut')
  })
})

import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, type ManifestPart, streamOf } from '@holdfast/core'
import { memoryBackup, seededRandom } from '@holdfast/core/testing'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeDatabase } from '../test/nasty.js'
import { sqlite } from './driver.js'

const ctx = createRunContext()
const table = `create table own(a); insert into own values ('own')`
let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  path = join(directory, 'app.db')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

describe('a dump', () => {
  it('leaves nothing in the temp directory, which only this user could enter meanwhile', async () => {
    const tempDir = join(directory, 'temp')
    mkdirSync(tempDir)
    makeDatabase(path)
    await using session = await sqlite({ path, tempDir }).dump({}, ctx)
    for await (const part of session.parts) {
      const taken = part.take()
      if (taken.kind !== 'process') throw new Error('a program was expected')
      for await (const _ of taken.output.read()) {
        const [made = ''] = readdirSync(tempDir)
        expect(statSync(join(tempDir, made)).mode & 0o777).toBe(0o700)
        expect(statSync(join(tempDir, made, 'copy.sqlite')).mode & 0o777).toBe(0o600)
      }
    }
    await session.done
    await session[Symbol.asyncDispose]()
    expect(readdirSync(tempDir)).toEqual([])
  })

  it('of a damaged database fails, and says what SQLite found', async () => {
    makeDatabase(path, undefined, 'delete')
    const bytes = readFileSync(path)
    bytes.fill(0xab, bytes.length / 2, bytes.length / 2 + 20_000)
    writeFileSync(path, bytes)
    await expect(memoryBackup(sqlite({ path }), {}, ctx)).rejects.toMatchObject({
      code: 'dump-failed',
      message: expect.stringMatching(/integrity_check found|malformed/),
    })
  })

  it('of what is no database, or not readable as one, is refused', async () => {
    writeFileSync(path, 'no database at all, though it is long enough to be one'.repeat(100))
    await expect(sqlite({ path }).dump({}, ctx)).rejects.toMatchObject({ code: 'source-denied' })
    await expect(sqlite({ path: directory }).dump({}, ctx)).rejects.toMatchObject({ code: 'source-denied' })
  })

  it('of a schema with functions of its application is made, with a warning', async () => {
    const database = new Database(path)
    database.function('own', { deterministic: true }, (value) => value)
    database.exec('create table t(a); create index i on t(own(a)); insert into t values (1)')
    database.close()
    const { manifest } = await memoryBackup(sqlite({ path }), { inventory: 'checksums' }, ctx)
    expect(manifest.warnings).toEqual([expect.stringMatching(/could not be checked: .*own/)])
    expect(manifest.inventory?.tables).toMatchObject([{ name: 't', rows: 1 }])
    const strict = memoryBackup(sqlite({ path }), { onWarning: 'fail' }, ctx)
    await expect(strict).rejects.toMatchObject({ code: 'dump-failed' })
  })

  it('recovers what an application left that was killed', async () => {
    const script = `const d = new (require('better-sqlite3'))(process.argv[1]); d.pragma('cache_size = 1')
      d.exec('create table t(a); begin; insert into t values (1)')
      d.exec('insert into t select hex(randomblob(9000)) from pragma_compile_options'); process.kill(process.pid, 'SIGKILL')`
    try {
      execFileSync(process.execPath, ['-e', script, path], { cwd: join(import.meta.dirname, '..') })
    } catch {} // killed, as it was meant to be
    expect(existsSync(`${path}-journal`)).toBe(true)
    const { manifest } = await memoryBackup(sqlite({ path }), { inventory: 'counts' }, ctx)
    expect(manifest.inventory?.tables).toEqual([{ name: 't', rows: 0 }])
  })
})

describe('damage of stored bytes', () => {
  it('is noticed by every cut; flips are in the hashes', async () => {
    makeDatabase(path)
    const driver = sqlite({ path })
    const backup = await memoryBackup(driver, {}, ctx)
    const part = backup.parts[0] as ManifestPart
    const bytes = backup.bytes.get('sqlite') as Buffer
    const random = seededRandom(7)
    for (let round = 0; round < 200; round++) {
      const cut = bytes.subarray(0, Math.floor(random() * bytes.length))
      await expect(driver.check?.(part, streamOf(cut), ctx)).rejects.toMatchObject({ code: 'corrupt' })
    }
  })

  it('leaves a target alone also where the whole stream came and only SQLite can tell', async () => {
    makeDatabase(join(directory, 'source.db'))
    makeDatabase(path, table)
    const backup = await memoryBackup(sqlite({ path: join(directory, 'source.db') }), {}, ctx)
    const bytes = Buffer.from(backup.bytes.get('sqlite') as Buffer)
    bytes.fill(0xab, bytes.length / 2, bytes.length / 2 + 20_000)
    const damaged = { ...backup, open: () => streamOf(bytes) }
    const before = readFileSync(path)
    await expect(sqlite({ path }).restore(damaged, { mode: 'clean' }, ctx)).rejects.toMatchObject({ code: 'corrupt' })
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(directory).filter((name) => name.includes('__'))).toEqual([])
  })
})

describe('a disk that is full', () => {
  it('is said before a dump or a restore begins', async () => {
    makeDatabase(path)
    const full = join(directory, 'full')
    mkdirSync(full)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', full])
    try {
      const dumping = sqlite({ path, tempDir: full }).dump({}, ctx)
      await expect(dumping).rejects.toMatchObject({ code: 'storage-full' })
      const backup = await memoryBackup(sqlite({ path }), {}, ctx)
      const target = sqlite({ path: join(full, 'target.db') })
      const known = target.restore(backup, { mode: 'create' }, ctx)
      await expect(known).rejects.toMatchObject({ code: 'storage-full' })
      const unknown = { ...backup, parts: backup.parts.map(({ plainBytes: _, ...part }) => part) }
      const streaming = target.restore(unknown, { mode: 'create' }, ctx)
      await expect(streaming).rejects.toMatchObject({ code: 'storage-full' })
      expect(readdirSync(full)).toEqual([])
      const filler = join(full, 'filler')
      writeFileSync(filler, '')
      expect(() => {
        for (;;) appendFileSync(filler, Buffer.alloc(4096))
      }).toThrow('ENOSPC')
      // Not even the mark of what the restore makes has room.
      await expect(target.restore(unknown, { mode: 'create' }, ctx)).rejects.toMatchObject({
        code: 'storage-full',
        message: expect.stringContaining('beside'),
      })
      expect(readdirSync(full)).toEqual(['filler'])
    } finally {
      execFileSync('umount', [full])
    }
  })
})

import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeDatabase } from '../test/nasty.js'
import { startRestore } from '../test/start-restore.js'
import { startWriter } from '../test/start-writer.js'
import { sqlite } from './driver.js'
import { overwrite } from './program/copy.js'
import { runTask } from './run-task.js'

const ctx = createRunContext()
const filling = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)
  select i, hex(randomblob(500)) as t from n`
let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  path = join(directory, 'app.db')
})
afterEach(() => rmSync(directory, { recursive: true }))

function values(file: string, sql: string): unknown[] {
  const database = new Database(file, { timeout: 30_000 })
  const found = database.prepare(sql).pluck().all()
  database.close()
  return found
}

const sums = `select (select total(amount) from credits) - (select total(amount) from debits)`

describe.each(['wal', 'delete'] as const)('a live database in mode %s', (mode) => {
  it('is dumped whole and consistent while a process writes, with an exact inventory', async () => {
    makeDatabase(path, `create table big as ${filling}`, mode)
    const stop = await startWriter(path, mode === 'wal' ? 500 : 50)
    const backup = await memoryBackup(sqlite({ path }), { inventory: 'counts' }, ctx)
    const { rows } = await stop()
    const restored = join(directory, 'restored.db')
    await sqlite({ path: restored }).restore(backup, { mode: 'create' }, ctx)
    expect(values(restored, 'pragma integrity_check')).toEqual(['ok'])
    expect(values(restored, sums)).toEqual([0])
    const [credits] = values(restored, 'select count(*) from credits') as number[]
    expect(credits).toBeGreaterThan(0)
    expect(credits).toBeLessThanOrEqual(rows)
    const table = backup.manifest.inventory?.tables.find(({ name }) => name === 'credits')
    expect([backup.manifest.inventory?.exact, table?.rows]).toEqual([true, credits])
  })

  it('is restored while others have it open: the same file, mode and journal, and no write is lost', async () => {
    makeDatabase(join(directory, 'source.db'), 'create table own(a); insert into own values (1)', 'wal')
    const backup = await memoryBackup(sqlite({ path: join(directory, 'source.db') }), {}, ctx)
    makeDatabase(path, `create table big as ${filling}`, mode)
    const stop = await startWriter(path, 50)
    const reader = new Database(path, { readonly: true })
    const before = statSync(path)
    const target = sqlite({ path })
    await using scratch = await target.scratch?.({ manifest: backup.manifest, toSwap: true }, ctx)
    await scratch?.driver.restore(backup, { mode: 'create' }, ctx)
    const swapped = await scratch?.swap?.({ terminateConnections: false }, ctx)
    // The tables that the writer writes to are gone for it: its last row is the last in what was put aside.
    await expect(stop()).rejects.toThrow()
    expect(reader.prepare('select a from own').pluck().all()).toEqual([1])
    expect(reader.pragma('journal_mode', { simple: true })).toBe(mode)
    reader.close()
    expect([statSync(path).ino, statSync(path).mode]).toEqual([before.ino, before.mode])
    const aside = join(directory, swapped?.oldName ?? '')
    expect(values(aside, 'pragma integrity_check')).toEqual(['ok'])
    expect(values(aside, sums)).toEqual([0])
    expect(statSync(aside).mode & 0o777).toBe(0o600)
  })
})

describe('a restore that others are in the way of', () => {
  it('says so, and changes nothing', async () => {
    makeDatabase(path, 'create table own(a); insert into own values (1)', 'delete')
    const backup = await memoryBackup(sqlite({ path }), {}, ctx)
    const other = new Database(path)
    other.exec('begin; insert into own values (2)')
    const restoring = sqlite({ path, busyTimeout: 200 }).restore(backup, { mode: 'clean' }, ctx)
    await expect(restoring).rejects.toMatchObject({ code: 'target-in-use' })
    other.exec('commit')
    other.close()
    expect(values(path, 'select a from own')).toEqual([1, 2])
  })

  it('waits for the file alone where the page size has to change in WAL mode', async () => {
    makeDatabase(join(directory, 'source.db'), 'create table own(a)', 'wal', 8192)
    const backup = await memoryBackup(sqlite({ path: join(directory, 'source.db') }), {}, ctx)
    makeDatabase(path, 'create table other(a)', 'wal', 4096)
    const other = new Database(path)
    other.prepare('select * from other').all()
    const target = sqlite({ path, busyTimeout: 200 })
    await expect(target.restore(backup, { mode: 'clean' }, ctx)).rejects.toMatchObject({
      code: 'target-in-use',
      message: expect.stringMatching(new RegExp(`^SQLite, on ${path}: `)),
      hint: expect.stringMatching(/^The database holds what it held before\. Another program holds it/),
    })
    other.close()
    await target.restore(backup, { mode: 'clean' }, ctx)
    expect(values(path, 'select name from sqlite_schema')).toEqual(['own'])
    expect([values(path, 'pragma page_size'), values(path, 'pragma journal_mode')]).toEqual([[8192], ['wal']])
  })

  it('and fails after WAL mode was left leaves the target as it was, in WAL mode', async () => {
    makeDatabase(join(directory, 'source.db'), 'create table own(a)', 'wal', 8192)
    makeDatabase(path, `create table other(a); insert into other values ('kept')`, 'wal', 4096)
    const nowhere = { path: join(directory, 'nowhere/kept'), temporary: join(directory, 'nowhere/temporary') }
    const writing = { failure: 'restore-failed', writes: true } as const
    const overwriting = runTask('overwrite', [join(directory, 'source.db'), path, 200, nowhere], ctx, writing)
    await expect(overwriting).rejects.toMatchObject({ code: 'restore-failed' })
    expect(values(path, 'select a from other')).toEqual(['kept'])
    expect([values(path, 'pragma page_size'), values(path, 'pragma journal_mode')]).toEqual([[4096], ['wal']])
  })

  it.each([
    ['restore', 'cleanup'],
    ['swap', 'cleanup'],
    ['restore', 'restore'],
  ] as const)(
    'a %s killed after WAL mode was left leaves the content; the next %s brings WAL mode back',
    async (way, next) => {
      const source = join(directory, 'source.db')
      makeDatabase(source, `create table big as ${filling}`, 'wal', 8192)
      makeDatabase(path, `create table other as ${filling}`, 'wal', 4096)
      const { kill } = await startRestore(source, path, way)
      // Without a pause: the moment is short. Where it never comes, what is expected below is not so.
      const deadline = performance.now() + 20_000
      while (journalByte() === 2 && performance.now() < deadline);
      await kill()
      expect(journalByte()).toBe(1)
      expect(values(path, 'select count(*) from other')).toEqual([30_000])

      const target = sqlite({ path })
      if (next === 'cleanup') for (const aside of (await target.asides?.(ctx)) ?? []) await aside.drop(ctx)
      else await target.restore(await memoryBackup(sqlite({ path: source }), {}, ctx), { mode: 'clean' }, ctx)
      expect(values(path, 'pragma journal_mode')).toEqual(['wal'])
      expect(values(path, 'select name from sqlite_schema')).toEqual([next === 'cleanup' ? 'other' : 'big'])
      expect(readdirSync(directory).filter((name) => name.includes('__'))).toEqual([])
    },
  )

  /** What a database file says of its mode: 1 for a rollback journal, 2 for WAL. */
  function journalByte(): number | undefined {
    const file = openSync(path, 'r')
    const header = Buffer.alloc(19)
    readSync(file, header)
    closeSync(file)
    return header[18]
  }

  it('and finds the disk full in the middle leaves the target as it was, in WAL mode', async () => {
    makeDatabase(join(directory, 'source.db'), `create table big as ${filling}`, 'wal', 8192)
    const full = join(directory, 'full')
    mkdirSync(full)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', full])
    try {
      const target = join(full, 'app.db')
      makeDatabase(target, `create table other(a); insert into other values ('kept')`, 'wal', 4096)
      const writing = { failure: 'restore-failed', writes: true } as const
      const overwriting = runTask('overwrite', [join(directory, 'source.db'), target, 200], ctx, writing)
      await expect(overwriting).rejects.toMatchObject({ code: 'storage-full' })
      expect(values(target, 'select a from other')).toEqual(['kept'])
      expect([values(target, 'pragma page_size'), values(target, 'pragma journal_mode')]).toEqual([[4096], ['wal']])
    } finally {
      execFileSync('umount', [full])
    }
  })
})

describe('an empty database', () => {
  it('that its programs fill while the dump comes is not touched', async () => {
    makeDatabase(join(directory, 'source.db'))
    const backup = await memoryBackup(sqlite({ path: join(directory, 'source.db') }), {}, ctx)
    writeFileSync(path, '')
    const late: typeof backup = {
      ...backup,
      async *open(name, using) {
        makeDatabase(path, "create table own(a); insert into own values ('mine')")
        yield* backup.open(name, using)
      },
    }
    await expect(sqlite({ path }).restore(late, { mode: 'create' }, ctx)).rejects.toMatchObject({
      code: 'target-not-empty',
    })
    expect(values(path, 'select a from own')).toEqual(['mine'])
    expect(readdirSync(directory).filter((name) => name.includes('__'))).toEqual([])
  })

  it.each(['wal', 'delete'] as const)(
    'in mode %s that a program fills at the last moment is not touched',
    async (mode) => {
      makeDatabase(join(directory, 'source.db'), 'create table other(a)')
      const backup = await memoryBackup(sqlite({ path: join(directory, 'source.db') }), {}, ctx)
      makeDatabase(path, '', mode)
      const program = new Database(path)
      program.exec("begin immediate; create table own(a); insert into own values ('mine')")
      const restoring = sqlite({ path }).restore(backup, { mode: 'create' }, ctx)
      const refused = expect(restoring).rejects.toMatchObject({ code: 'target-not-empty' })
      // It has looked by then, and is about to write.
      const marks = (): string[] => readdirSync(directory).filter((name) => name.endsWith('-mark'))
      await expect.poll(marks, { timeout: 20_000 }).toHaveLength(2)
      program.exec('commit')
      await refused
      expect(program.prepare('select a from own').pluck().all()).toEqual(['mine'])
      expect([values(path, 'select name from sqlite_schema'), values(path, 'pragma journal_mode')]).toEqual([
        ['own'],
        [mode],
      ])
      program.close()
      expect(readdirSync(directory).filter((name) => name.includes('__'))).toEqual([])
    },
  )

  it('that a program puts into WAL mode at the last moment is not touched', async () => {
    makeDatabase(join(directory, 'source.db'), 'create table other(a)', 'delete')
    makeDatabase(path, '', 'delete')
    const program = new Database(path)
    const overwriting = overwrite(join(directory, 'source.db'), path, 5_000, {
      temporary: join(directory, 'temporary'),
    })
    // It has seen the mode by now, and has not locked the file yet.
    program.exec("pragma journal_mode = wal; create table own(a); insert into own values ('mine')")
    await expect(overwriting).rejects.toMatchObject({ code: 'SQLITE_LOCKED' })
    expect(program.prepare('select a from own').pluck().all()).toEqual(['mine'])
    program.close()
  })
})

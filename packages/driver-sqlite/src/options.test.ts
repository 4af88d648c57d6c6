import { resolve } from 'node:path'
import { createRunContext } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { sqlite } from './driver.js'
import { errorOf } from './errors.js'
import { parseOptions, type SqliteOptions } from './options.js'
import { sqlitePlugin } from './plugin.js'

describe('options', () => {
  it('are read: time spans in milliseconds', () => {
    expect(parseOptions({ path: 'a.db', tempDir: '/tmp', busyTimeout: '2s' })).toEqual({
      path: 'a.db',
      tempDir: '/tmp',
      busyTimeout: 2_000,
    })
  })

  it.each<[object, RegExp]>([
    [{ path: '' }, /path/],
    [{ path: ' a.db' }, /path: .*white space/],
    [{ path: ':memory:' }, /path: .*in memory/],
    [{ path: 'a\0.db' }, /path: .*NUL/],
    [{ path: 'a.db', busyTimeout: 'soon' }, /busyTimeout/],
    [{ path: 'a.db', tempdir: '/tmp' }, /tempdir/],
  ])('refuses %o', (options, message) => {
    expect(() => sqlite(options as SqliteOptions)).toThrow(message)
  })

  it('without a path make a driver that says so when its database is needed', async () => {
    const driver = sqlite({ path: undefined as unknown as string })
    expect(driver.unusable).toMatchObject({ code: 'config-invalid', message: expect.stringContaining('not given') })
    await expect(driver.probe(createRunContext())).rejects.toBe(driver.unusable)
  })
})

describe('a URL', () => {
  it.each([
    ['sqlite:./app.db', resolve('app.db')],
    ['sqlite:app.db', resolve('app.db')],
    ['sqlite:/var/lib/app.db', '/var/lib/app.db'],
    ['sqlite:///var/lib/app.db', '/var/lib/app.db'],
    ['SQLite:/a%20b?c.db', '/a%20b?c.db'],
  ])('%s', async (url, path) => {
    expect(sqlitePlugin.create(parseOptions(sqlitePlugin.fromUrl?.(url) as SqliteOptions)).display).toBe(
      `sqlite:${path}`,
    )
  })

  it.each(['sqlite:', 'sqlite://host/app.db', 'postgres://host/app'])('refuses %s', (url) => {
    expect(() => sqlitePlugin.fromUrl?.(url)).toThrow('does not name a SQLite database')
  })
})

describe('an error of SQLite', () => {
  it.each<[string, 'reads' | 'writes', string]>([
    ['SQLITE_BUSY', 'writes', 'target-in-use'],
    ['SQLITE_BUSY_SNAPSHOT', 'reads', 'source-unreachable'],
    ['SQLITE_LOCKED', 'writes', 'target-in-use'],
    ['SQLITE_FULL', 'writes', 'storage-full'],
    ['ENOSPC', 'reads', 'storage-full'],
    ['SQLITE_CANTOPEN', 'reads', 'source-denied'],
    ['SQLITE_READONLY', 'writes', 'source-denied'],
    ['EACCES', 'reads', 'source-denied'],
    ['SQLITE_NOTADB', 'reads', 'source-denied'],
    ['SQLITE_NOTADB', 'writes', 'restore-refused'],
    ['SQLITE_CORRUPT', 'reads', 'dump-failed'],
    ['SQLITE_CORRUPT_VTAB', 'writes', 'restore-refused'],
    ['SQLITE_IOERR', 'writes', 'dump-failed'],
  ])('%s of a task that %s means %s', (code, does, meaning) => {
    const error = errorOf({ code, message: 'its words' }, '/app.db', {
      failure: 'dump-failed',
      writes: does === 'writes',
    })
    expect(error).toMatchObject({ code: meaning, message: 'SQLite, on /app.db: its words' })
    expect(error.retryable).toBe(code === 'SQLITE_BUSY_SNAPSHOT')
  })
})

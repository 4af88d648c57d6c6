import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackupError } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { run } from '../run.js'
import { fakeProject } from '../testing/fake-project.js'
import { dataOf, filesIn } from '../testing/files.js'
import { runIn, testWorld } from '../testing/test-world.js'

describe('holdfast backup', () => {
  it('backs up every job of the config file, in order', async () => {
    const { cwd } = fakeProject()
    const { code, out, err } = await runIn({ cwd }, 'backup')
    expect(code).toBe(0)
    expect(
      out
        .replace(/[0-9a-f]{8}/g, 'ID')
        .split('\n')
        .slice(0, 3),
    ).toEqual([
      expect.stringMatching(/^Backup ID of shop is complete: \d+ B \(7\.\d+ KiB before compression\) in /),
      '  disk     complete',
      '  offsite  complete',
    ])
    expect(out).toContain('of stock is complete')
    expect(err).toContain('shop: backing up')
  })

  it('prints the documented document', async () => {
    const { cwd, shop } = fakeProject()
    shop.warnings.push('something odd')
    const one = await runIn({ cwd }, 'backup', 'shop', '--json', '--label', 'before 1.2')
    expect(one.json()).toMatchObject({
      status: 'complete_with_warnings',
      backup: { job: 'shop', label: 'before 1.2', storedBytes: expect.any(Number), shortId: expect.any(String) },
      copies: [
        { storage: 'disk', status: 'complete' },
        { storage: 'offsite', status: 'complete' },
      ],
      warnings: ['something odd'],
      durationMs: expect.any(Number),
    })
    expect(one.err).toBe('')
    const two = await runIn({ cwd }, 'backup', 'shop', 'stock', '--json')
    expect(two.json()).toMatchObject({ backups: [{ backup: { job: 'shop' } }, { backup: { job: 'stock' } }] })
  })

  it('lets the command line win over the environment, and that over the config file', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd, env: { BACKUP_COMPRESSION: 'gzip' } }, 'backup', 'shop', '--to', 'disk')
    expect(dataOf(join(cwd, 'disk'))).toMatch(/\.sql\.gz$/)
    expect(filesIn(join(cwd, 'offsite'))).toEqual([])
    await runIn({ cwd, env: { BACKUP_COMPRESSION: 'gzip' } }, 'backup', 'shop', '--to', './new', '--compress', 'zstd')
    expect(dataOf(join(cwd, 'new'))).toMatch(/\.sql\.zst$/)
  })

  it('is partial when a storage fails, and names it', async () => {
    const { cwd } = fakeProject()
    writeFileSync(join(cwd, 'offsite'), 'a file in the way')
    const { code, out } = await runIn({ cwd }, 'backup', 'shop')
    expect(code).toBe(9)
    expect(out).toContain('is partial')
    expect(out).toMatch(/offsite {2}failed: .*is not a directory/)
    expect((await runIn({ cwd }, 'backup', 'shop', '--min-copies', '2')).code).toBe(3)
  })

  it('goes on with the next job when one fails', async () => {
    const { cwd, shop } = fakeProject()
    shop.dumpFailure = new BackupError('dump-failed', { message: 'the dump died', hint: 'Look at the log.' })
    const { code, json, err } = await runIn({ cwd }, 'backup', '--json')
    expect(code).toBe(5)
    expect(json()).toMatchObject({
      backups: [
        {
          job: 'shop',
          status: 'failed',
          error: { code: 'dump-failed', message: 'the dump died', hint: 'Look at the log.' },
        },
        { status: 'complete', backup: { job: 'stock' } },
      ],
    })
    expect(err).toContain('Error: the dump died\n  Look at the log.')
  })

  it('stops cleanly when interrupted, and at once when interrupted again', async () => {
    const { cwd, shop } = fakeProject()
    const world = testWorld({ cwd })
    shop.pause = async () => {
      world.interrupt()
      world.interrupt()
    }
    expect(await run(['backup', 'shop', '--json'], world)).toBe(130)
    expect(world.exits).toEqual([130])
    expect(JSON.parse(world.out())).toMatchObject({ error: { code: 'aborted' } })
    expect(world.err()).toContain('Interrupted. The backup that was running does not count')
    expect(filesIn(join(cwd, 'disk')).filter((file) => !file.includes('/.holdfast/'))).toEqual([])
  })

  it.each<[string, string[], number, RegExp]>([
    ['an unknown job', ['backup', 'shpo'], 8, /No job is called "shpo"/],
    ['what every object has', ['backup', 'constructor'], 8, /No job is called "constructor"/],
    ['a URL without a place', ['backup', 'postgres://h/d'], 1, /not said where the backup is to go/],
    ['two URLs', ['backup', 'postgres://h/d', 'postgres://h/e', '--to', 'disk'], 1, /by itself/],
    ['a URL and a place', ['backup', 'postgres://h/d', './backups', '--to', 'disk'], 1, /given with --to/],
    ['roles of an engine without', ['backup', 'sqlite:a.db', '--globals', '--to', 'disk'], 1, /--globals .*sqlite/],
    [
      'programs of an engine without',
      ['backup', 'sqlite:a.db', '--bin-dir', '/x', '--to', 'disk'],
      1,
      /--bin-dir .*sqlite/,
    ],
    ['a URL twice', ['backup', 'postgres://h/d', '--url-file', 'x', '--to', 'disk'], 1, /named twice/],
    ['a URL file that is missing', ['backup', '--url-file', 'x', '--to', 'disk'], 1, /--url-file cannot be read/],
    ['a URL without a database', ['backup', 'mariadb://h', '--to', 'disk'], 1, /does not say which database/],
    ['an engine that is not there', ['backup', 'oracle://h/d', '--to', 'disk'], 1, /No driver here reads oracle/],
    ['driver options beside a config file', ['backup', '--bin-dir', '/x'], 1, /go with a URL/],
    ['a storage that is not there', ['backup', 'shop', '--to', 'ftp://h/d'], 3, /No storage here/],
    ['a name that is none', ['backup', 'shop', '--to', 'disc'], 8, /No storage is called "disc"(.|\n)*disk, offsite/],
    ['what every object has, as a storage', ['backup', 'shop', '--to', 'valueOf'], 8, /No storage is called "valueOf"/],
    ['a storage twice', ['backup', 'shop', '--to', 'disk', '--to', './disk/'], 1, /are the same place/],
    [
      'an odd compression',
      ['backup', 'shop', '--compress', 'lzma'],
      1,
      /--compress: "lzma" is not a compression\n.*zstd:9/,
    ],
    [
      'an unknown dump format',
      ['backup', 'postgres://h/d', '--to', 'disk', '--format', 'tar'],
      1,
      /--format tar: .*\n.*custom, plain/,
    ],
    ['more copies than storages', ['backup', 'shop', '--min-copies', '5'], 1, /minCopies/],
  ])('refuses %s', async (_, argv, code, message) => {
    const result = await runIn({ cwd: fakeProject().cwd }, ...argv)
    expect(result.err).toMatch(message)
    expect(result.code).toBe(code)
  })

  it('says what to do where nothing is configured', async () => {
    const { code, err } = await runIn({}, 'backup')
    expect(code).toBe(1)
    expect(err).toContain('no config file, no DATABASE_URL and no URL')
    const path = await runIn({}, 'backup', './app.db', '--to', './backups')
    expect([path.code, path.err]).toEqual([
      1,
      expect.stringMatching(/"\.\/app\.db" is no URL .*\n.*sqlite:\.\/app\.db/),
    ])
  })

  it('never makes a backup in plain that was to be encrypted', async () => {
    const { cwd } = fakeProject()
    const { code, err } = await runIn({ cwd, env: { BACKUP_ENCRYPT: 'true' } }, 'backup')
    expect([code, err]).toEqual([1, expect.stringContaining('encryption')])
    expect(filesIn(join(cwd, 'disk'))).toEqual([])
  })

  it('names the variables that a config file makes ineffective', async () => {
    const { cwd } = fakeProject()
    const { err } = await runIn({ cwd, env: { S3_BUCKET: 'b', BACKUP_DIR: 'd' } }, 'list')
    expect(err).toContain('BACKUP_DIR, S3_BUCKET are ignored')
  })
})

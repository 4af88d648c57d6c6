import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackupError } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { run } from '../run.js'
import { fakeProject } from '../testing/fake-project.js'
import { runIn, testWorld } from '../testing/test-world.js'

/** Every file below a directory, by its path from there. */
function filesIn(directory: string): string[] {
  if (!existsSync(directory)) return []
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

function dataOf(directory: string): string {
  const [found = ''] = filesIn(directory).filter((file) => /\.sql\.(zst|gz)$/.test(file) && !file.includes('globals'))
  return found
}

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
    expect(world.err()).toContain('Interrupted')
    expect(filesIn(join(cwd, 'disk')).filter((file) => !file.includes('/.holdfast/'))).toEqual([])
  })

  it.each<[string, string[], number, RegExp]>([
    ['an unknown job', ['backup', 'shpo'], 8, /No job is called "shpo"/],
    ['a URL without a place', ['backup', 'postgres://h/d'], 1, /not said where the backup is to go/],
    ['two URLs', ['backup', 'postgres://h/d', 'postgres://h/e', '--to', 'disk'], 1, /by itself/],
    ['a URL twice', ['backup', 'postgres://h/d', '--url-file', 'x', '--to', 'disk'], 1, /named twice/],
    ['a URL file that is missing', ['backup', '--url-file', 'x', '--to', 'disk'], 1, /--url-file cannot be read/],
    ['an engine that is not there', ['backup', 'oracle://h/d', '--to', 'disk'], 1, /No driver here reads oracle/],
    ['driver options beside a config file', ['backup', '--bin-dir', '/x'], 1, /go with a URL/],
    ['a storage that is not there', ['backup', 'shop', '--to', 'sftp://h/d'], 3, /No storage here/],
    ['an odd compression', ['backup', 'shop', '--compress', 'lzma'], 1, /lzma/],
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

describe('holdfast list', () => {
  it('shows copies, ages and sizes', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', '--label', 'first')
    const { code, out } = await runIn({ cwd }, 'list')
    expect(code).toBe(0)
    const [title, stock, shop] = out.split('\n')
    expect(title).toBe(
      'ID        JOB    DATABASE       AGE   SIZE   RATIO  COPIES         VERIFIED  LABEL'.replace(/ +/g, (s) => s) &&
        title,
    )
    expect(title?.split(/ +/)).toEqual(['ID', 'JOB', 'DATABASE', 'AGE', 'SIZE', 'RATIO', 'COPIES', 'VERIFIED', 'LABEL'])
    expect(stock).toMatch(/^[0-9a-f]{8} +stock +stock +just now +\d+ B +[\d.]+ × +disk +never +first$/)
    expect(shop).toMatch(/ disk, offsite /)
    const json = (await runIn({ cwd }, 'list', 'shop', '--json')).json()
    expect(json).toMatchObject({ backups: [{ job: 'shop' }], damaged: [], unreachable: [] })
  })

  it('fits a terminal', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', '--label', 'a label that is much too long for so narrow a terminal as this')
    const { out } = await runIn({ cwd, terminal: true, columns: 80 }, 'list')
    expect(out.split('\n').every((line) => [...line].length <= 80)).toBe(true)
    expect(out).toContain('…')
  })

  it('says that there is nothing', async () => {
    const { cwd } = fakeProject()
    const { code, out, err } = await runIn({ cwd }, 'list', 'shop')
    expect([code, out, err]).toEqual([0, '', 'There are no backups of shop on disk, offsite.\n'])
  })

  it('shows damaged manifests, missing data and storages that cannot be read', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup')
    for (const file of filesIn(join(cwd, 'disk', 'stock'))) {
      if (file.endsWith('manifest.json')) writeFileSync(file, '{}')
    }
    rmSync(dataOf(join(cwd, 'disk', 'shop')))
    const { code, out, err } = await runIn({ cwd }, 'list')
    expect(code).toBe(0)
    expect(out).toContain('disk (missing), offsite')
    expect(err).toMatch(/Warning: .*stock.*manifest\.json.*it counts as no backup/)
    rmSync(join(cwd, 'offsite'), { recursive: true })
    writeFileSync(join(cwd, 'offsite'), '')
    const second = await runIn({ cwd }, 'list')
    expect(second.code).toBe(9)
    expect(second.err).toContain('Storage offsite cannot be read')
  })

  it('looks where it is told, by name or place', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'shop')
    expect((await runIn({ cwd }, 'list', '--from', 'offsite')).out).toMatch(/ offsite +never/)
    expect((await runIn({ cwd }, 'list', '--storage', './disk')).out).toMatch(/ \.\/disk +never/)
    const world = { cwd: join(cwd, 'disk'), env: { BACKUP_DIR: '../offsite' } }
    rmSync(join(cwd, 'holdfast.config.mjs'))
    expect((await runIn(world, 'list')).out).toMatch(/ local +never/)
  })
})

describe('holdfast show', () => {
  it('shows the manifest, readably', async () => {
    const { cwd, shop } = fakeProject()
    shop.warnings.push('odd\u001b]0;title\u0007')
    await runIn({ cwd }, 'backup', 'shop', '--label', 'first')
    const { code, out } = await runIn({ cwd }, 'show', 'latest')
    expect(code).toBe(0)
    for (const text of [
      'Job       shop (manual)',
      'Label     first',
      'Database  shop, fake 15.1',
      'Verified  never',
      'fake_dump 15.1',
      'format=plain sections=all',
      'Warning   odd',
      '25 tables, 300 rows, of exactly the dumped state',
      'public.t24',
      'and 5 more',
      '| fake_restore',
    ]) {
      expect(out).toContain(text)
    }
    expect(out).not.toContain('\u0007')
    const verbose = await runIn({ cwd }, 'show', 'latest', '--verbose')
    expect(verbose.out).toContain('SHA-256 AS STORED')
    expect(verbose.out).not.toContain('more (--verbose')
    expect((await runIn({ cwd }, 'show', 'shop', '--json')).json()).toMatchObject({
      backup: { job: 'shop', manifest: { formatVersion: 1 } },
    })
  })

  it('says what is wrong with a copy', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'shop')
    rmSync(dataOf(join(cwd, 'disk')))
    expect((await runIn({ cwd }, 'show', 'latest')).out).toMatch(/disk +missing: .*is gone/)
  })

  it('exits with 8 when nothing matches', async () => {
    const { cwd } = fakeProject()
    const { code, json } = await runIn({ cwd }, 'show', 'ffff', '--json')
    expect([code, json()]).toEqual([8, { error: expect.objectContaining({ code: 'no-match' }) }])
  })
})

describe('holdfast verify', () => {
  it('reads every copy', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup')
    const { code, out } = await runIn({ cwd }, 'verify')
    expect(code).toBe(0)
    expect(out).toContain('of shop is intact')
    expect(out).toContain('2 of 2 backups are intact')
    expect((await runIn({ cwd }, 'list')).out).toMatch(/disk, offsite +just now/)
    expect((await runIn({ cwd }, 'verify', 'stock', '--json')).json()).toMatchObject({
      status: 'intact',
      backups: [{ job: 'stock', copies: [{ storage: 'disk', status: 'intact' }] }],
    })
  })

  it('exits with 7 on damage, and says which copy', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'shop')
    const file = dataOf(join(cwd, 'offsite'))
    const bytes = readFileSync(file)
    bytes[20] = (bytes[20] ?? 0) ^ 1
    writeFileSync(file, bytes)
    const { code, out } = await runIn({ cwd }, 'verify', 'latest')
    expect(code).toBe(7)
    expect(out).toMatch(/DAMAGED/)
    expect(out).toMatch(/disk +intact/)
    expect(out).toMatch(/offsite +damaged: .*(SHA-256|checksum)/)
  })

  it('exits with 8 where there is nothing, 7 on a damaged manifest, 9 on a storage that is away', async () => {
    const { cwd } = fakeProject()
    expect((await runIn({ cwd }, 'verify')).code).toBe(8)
    expect((await runIn({ cwd }, 'verify', 'nope')).code).toBe(8)
    await runIn({ cwd }, 'backup')
    rmSync(join(cwd, 'offsite'), { recursive: true })
    writeFileSync(join(cwd, 'offsite'), '')
    expect((await runIn({ cwd }, 'verify')).code).toBe(9)
    for (const file of filesIn(join(cwd, 'disk', 'stock'))) {
      if (file.endsWith('manifest.json')) writeFileSync(file, '{}')
    }
    expect((await runIn({ cwd }, 'verify', '--from', 'disk')).code).toBe(7)
  })
})

describe('holdfast restore', () => {
  async function backedUp() {
    const project = fakeProject()
    await runIn({ cwd: project.cwd }, 'backup', 'shop')
    return project
  }

  it('restores into the source of the job, and says what it did', async () => {
    const { cwd, shop } = await backedUp()
    shop.info = undefined
    const { code, out, err } = await runIn({ cwd }, 'restore', 'latest', '--yes')
    expect(code).toBe(0)
    expect(err).toContain('Into    fake.example/shop, which is made new')
    expect(err).toContain('Loses   nothing')
    expect(out).toMatch(/is restored into fake\.example\/shop, from disk in .*\n {2}warning: a role is missing/)
    expect(shop.restored).toEqual([{ content: shop.content, request: { mode: 'create', sections: 'all' } }])
  })

  it('hands every option on', async () => {
    const { cwd, shop } = await backedUp()
    const flags = ['--clean', '--tables', 'a,"b,c"', '--data-only', '--jobs', '3', '--terminate', '--no-owner']
    const argv = ['restore', 'shop', '--yes', '--json', '--no-privileges', '--globals', ...flags]
    const { code, json } = await runIn({ cwd }, ...argv)
    expect(code).toBe(0)
    expect(json()).toMatchObject({ status: 'restored', mode: 'clean', target: 'fake.example/shop', storage: 'disk' })
    expect(shop.restored[0]?.request).toEqual({
      mode: 'clean',
      sections: 'data',
      tables: ['a', '"b,c"'],
      jobs: 3,
      terminateConnections: true,
      noOwner: true,
      noPrivileges: true,
      globals: true,
    })
  })

  it('asks for the name of a database that would lose data', async () => {
    const { cwd, shop } = await backedUp()
    shop.info = { ...(shop.info as NonNullable<typeof shop.info>), connections: 2 }
    const wrong = await runIn({ cwd, terminal: true, typed: ['yes'] }, 'restore', 'latest', '--drop')
    expect([wrong.code, shop.restored]).toEqual([1, []])
    expect(wrong.err).toContain('Loses   all that the database holds now (3 tables, 7.63 MiB)')
    expect(wrong.err).toContain('2 other connections')
    expect(wrong.err).toContain('Type the name of the database (shop) to go on:')
    const right = await runIn({ cwd, terminal: true, typed: ['shop'] }, 'restore', 'latest', '--drop')
    expect([right.code, shop.restored[0]?.request.mode]).toEqual([0, 'replace'])
  })

  it('asks for yes where nothing is lost', async () => {
    const { cwd, shop } = await backedUp()
    const refused = await runIn({ cwd, terminal: true, typed: ['n'] }, 'restore', 'latest', '--append')
    expect([refused.code, shop.restored]).toEqual([1, []])
    expect((await runIn({ cwd, terminal: true, typed: ['Yes'] }, 'restore', 'latest', '--append')).code).toBe(0)
  })

  it('refuses without a terminal, without a target, and where there are tables and no mode', async () => {
    const { cwd, shop, stock } = await backedUp()
    const unasked = await runIn({ cwd }, 'restore', 'latest', '--append')
    expect([unasked.code, unasked.err]).toEqual([1, expect.stringContaining('Add --yes once you are sure')])
    const full = await runIn({ cwd }, 'restore', 'latest', '--yes')
    expect([full.code, full.err]).toEqual([6, expect.stringContaining('fake.example/shop holds 3 tables')])
    rmSync(join(cwd, 'holdfast.config.mjs'))
    const nowhere = await runIn({ cwd, env: { BACKUP_DIR: 'disk' } }, 'restore', '--yes')
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('into which database')])
    expect([shop.restored, stock.restored]).toEqual([[], []])
  })

  it('shows what --clean of chosen tables loses', async () => {
    const { cwd } = await backedUp()
    const { err } = await runIn({ cwd }, 'restore', '--clean', '--tables', 'item', '--schema-only')
    expect(err).toContain('What    schema without rows of item')
    expect(err).toContain('Loses   what item hold now')
    expect((await runIn({ cwd }, 'restore', '--clean', '--globals')).err).toContain(
      'everything, and roles of the server',
    )
  })

  it('ends with 4 when the database cannot be reached', async () => {
    const { cwd, shop } = await backedUp()
    shop.failure = new BackupError('source-denied', { message: 'password authentication failed' })
    expect((await runIn({ cwd }, 'restore', '--yes')).code).toBe(4)
  })
})

describe('holdfast download and cat', () => {
  async function backedUp() {
    const project = fakeProject()
    await runIn({ cwd: project.cwd }, 'backup', 'shop')
    return project
  }

  it('saves every part in a directory, as stored', async () => {
    const { cwd } = await backedUp()
    mkdirSync(join(cwd, 'out'))
    const { code, json } = await runIn({ cwd }, 'download', 'latest', '-o', 'out', '--json')
    expect(code).toBe(0)
    const { files } = json() as { files: { part: string; file: string; bytes: number }[] }
    expect(files.map(({ part }) => part)).toEqual(['sql', 'globals.sql'])
    expect(readFileSync(files[0]?.file ?? '')).toEqual(readFileSync(dataOf(join(cwd, 'disk'))))
    expect(statSync(files[0]?.file ?? '').mode & 0o777).toBe(0o600)
    expect(readdirSync(join(cwd, 'out')).length).toBe(2)
  })

  it('saves plain bytes to a file, and overwrites only when told to', async () => {
    const { cwd, shop } = await backedUp()
    const argv = ['download', 'latest', '--decrypt', '-o', 'shop.sql']
    expect((await runIn({ cwd }, ...argv)).out).toMatch(/shop\.sql {2}7\.\d+ KiB \(part sql\)/)
    expect(readFileSync(join(cwd, 'shop.sql'))).toEqual(shop.content)
    const again = await runIn({ cwd }, ...argv)
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('is there already')])
    expect((await runIn({ cwd }, ...argv, '--force', '--part', 'globals.sql')).code).toBe(0)
    expect(readFileSync(join(cwd, 'shop.sql'), 'utf8')).toBe('create role app;\n')
  })

  it('leaves no file behind when the backup is damaged', async () => {
    const { cwd } = await backedUp()
    rmSync(join(cwd, 'offsite'), { recursive: true })
    const file = dataOf(join(cwd, 'disk'))
    const bytes = readFileSync(file)
    bytes[20] = (bytes[20] ?? 0) ^ 1
    writeFileSync(file, bytes)
    mkdirSync(join(cwd, 'out'))
    expect((await runIn({ cwd }, 'download', 'latest', '-o', 'out/')).code).toBe(7)
    expect(readdirSync(join(cwd, 'out'))).toEqual([])
  })

  it('writes to standard output', async () => {
    const { cwd, shop } = await backedUp()
    expect((await runIn({ cwd }, 'cat', 'latest')).out).toBe(shop.content.toString())
    expect((await runIn({ cwd, terminal: true }, 'cat', 'latest', '--part', 'globals.sql')).out).toBe(
      'create role app;\n',
    )
    expect((await runIn({ cwd }, 'download', 'latest', '-o', '-', '--decrypt')).out).toBe(shop.content.toString())
  })

  it.each<[string, string[], number, RegExp]>([
    ['binary on a terminal', ['download', 'latest', '-o', '-'], 1, /is binary, and standard output is a terminal/],
    ['--json with cat', ['cat', 'latest', '--json'], 1, /--json has no place there/],
    ['an unknown part', ['cat', 'latest', '--part', 'nope'], 8, /has no part "nope"/],
    ['a directory that is not there', ['download', 'latest', '-o', 'no/where'], 1, /There is no directory/],
  ])('refuses %s', async (_, argv, code, message) => {
    const { cwd } = await backedUp()
    const result = await runIn({ cwd, terminal: true, env: { TERM: 'dumb' } }, ...argv)
    expect(result.err).toMatch(message)
    expect(result.code).toBe(code)
  })
})

describe('holdfast copy', () => {
  it('copies to storages that have a name or not', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'stock')
    const { code, out } = await runIn({ cwd }, 'copy', 'latest', '--to', 'offsite', '--to', './third')
    expect(code).toBe(0)
    expect(out).toMatch(/of stock lies on offsite now\n.*lies on \.\/third now/)
    expect((await runIn({ cwd }, 'verify', '--from', './third')).code).toBe(0)
    const json = (await runIn({ cwd }, 'copy', 'latest', '--to', './fourth', '--json')).json()
    expect(json).toMatchObject({ status: 'copied', to: ['./fourth'] })
  })

  it('exits with 8 where there is nothing to copy', async () => {
    expect((await runIn({ cwd: fakeProject().cwd }, 'copy', 'latest', '--to', './x')).code).toBe(8)
  })
})

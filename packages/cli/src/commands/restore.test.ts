import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { age, BackupError, generateAgeKey } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { fakeProject } from '../testing/fake-project.js'
import { filesIn } from '../testing/files.js'
import { runIn } from '../testing/test-world.js'

const shortIds = ({ json }: { json: () => unknown }): string[] =>
  (json() as { backups: { shortId: string }[] }).backups.map(({ shortId }) => shortId)

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

  it('passes over a newest backup that is damaged', async () => {
    const { cwd, shop } = await backedUp()
    const older = shop.content
    const [good = ''] = shortIds(await runIn({ cwd }, 'list', '--json'))
    shop.content = Buffer.from('-- newer and damaged\n'.repeat(500))
    await runIn({ cwd }, 'backup', 'shop')
    const [bad = ''] = shortIds(await runIn({ cwd }, 'list', '--json'))
    for (const storage of ['disk', 'offsite']) {
      for (const file of filesIn(join(cwd, storage))) {
        if (file.includes(`${bad}.sql`)) writeFileSync(file, 'x'.repeat(readFileSync(file).length))
      }
    }
    expect((await runIn({ cwd }, 'verify', 'latest')).code).toBe(7)
    shop.info = undefined
    const { code, err } = await runIn({ cwd }, 'restore', 'latest', '--yes')
    expect([code, err]).toEqual([0, expect.stringContaining(`Backup  ${good}`)])
    expect(shop.restored.map(({ content }) => content)).toEqual([older])
    expect((await runIn({ cwd }, 'restore', bad, '--yes')).code).toBe(6)
  })

  it('says of a backup of a part that it holds no more, and what a staged restore leaves', async () => {
    const { cwd, shop } = fakeProject()
    shop.options = { sections: 'all', tables: ['orders'] }
    await runIn({ cwd }, 'backup', 'shop')
    const staged = await runIn({ cwd }, 'restore', '--dry-run', '--staged')
    expect(staged.err).toContain('What    everything that the backup holds: orders\n')
    expect(staged.err).toContain('Leaves  nothing but that in shop; --clean or --append restore it in place')
    const { err } = await runIn({ cwd }, 'restore', '--dry-run', '--clean')
    expect(err).toContain('What    everything that the backup holds: orders\n')
    expect(err).not.toContain('Leaves')
  })

  it('says once that a storage cannot be read', async () => {
    const { cwd, shop } = await backedUp()
    shop.info = undefined
    rmSync(join(cwd, 'offsite'), { recursive: true })
    writeFileSync(join(cwd, 'offsite'), '')
    const { code, err } = await runIn({ cwd }, 'restore', 'latest', '--yes')
    expect([code, err.match(/offsite cannot be read/g)]).toEqual([0, [expect.any(String)]])
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

  it('uses no more connections than a server can give', async () => {
    const { cwd, shop } = await backedUp()
    const { code, err } = await runIn({ cwd }, 'restore', '--clean', '--yes', '--jobs', '5000')
    expect([code, err]).toEqual([0, expect.stringContaining('--jobs 5000 is more than any server gains from; 32')])
    expect(shop.restored[0]?.request.jobs).toBe(32)
  })

  it('asks for the name of a database that would lose data', async () => {
    const { cwd, shop } = await backedUp()
    shop.info = { ...(shop.info as NonNullable<typeof shop.info>), connections: 2 }
    const wrong = await runIn({ cwd, terminal: true, typed: ['yes'] }, 'restore', 'latest', '--drop')
    expect([wrong.code, shop.restored]).toEqual([1, []])
    expect(wrong.err).toContain('Loses   all that the database holds now (3 tables, 7.63 MiB)')
    expect(wrong.err).toMatch(/^In use {2}2 other connections$/m)
    expect(wrong.err).toContain('Type the name of the database (shop) to go on:')
    const right = await runIn({ cwd, terminal: true, typed: ['shop'] }, 'restore', 'latest', '--drop', '--terminate')
    expect(right.err).toMatch(/^In use {2}2 other connections; --terminate lets the restore end them$/m)
    expect([right.code, shop.restored[0]?.request.mode, shop.asides]).toEqual([0, 'create', []])
  })

  it('asks for yes where nothing is lost', async () => {
    const { cwd, shop } = await backedUp()
    const full = shop.info
    shop.info = { ...(full as NonNullable<typeof full>), empty: true, tables: 0 }
    const empty = await runIn({ cwd, terminal: true, typed: ['yes'] }, 'restore', 'latest', '--clean')
    expect([empty.code, empty.err]).toEqual([0, expect.stringMatching(/^Loses {3}nothing\n(.|\n)*Type yes to go on/m)])
    shop.info = full
    shop.restored.length = 0
    const refused = await runIn({ cwd, terminal: true, typed: ['n'] }, 'restore', 'latest', '--append')
    expect([refused.code, shop.restored]).toEqual([1, []])
    expect((await runIn({ cwd, terminal: true, typed: ['Yes'] }, 'restore', 'latest', '--append')).code).toBe(0)
  })

  it('refuses without a terminal, without a target, and where there are tables and no mode', async () => {
    const { cwd, shop, stock } = await backedUp()
    const unasked = await runIn({ cwd }, 'restore', 'latest', '--append')
    expect([unasked.code, unasked.err]).toEqual([1, expect.stringContaining('Add --yes once you are sure')])
    const full = await runIn({ cwd }, 'restore', 'latest', '--mode', 'create', '--yes')
    expect([full.code, full.err]).toEqual([6, expect.stringContaining('fake.example/shop exists and holds 3 tables')])
    rmSync(join(cwd, 'holdfast.config.mjs'))
    const nowhere = await runIn({ cwd, env: { BACKUP_DIR: 'disk' } }, 'restore', '--yes')
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('into which database')])
    expect([shop.restored, stock.restored]).toEqual([[], []])
  })

  it.each(['postgres://h', 'postgres://u@h:5433/', 'postgres://h/?sslmode=require'])(
    'refuses --into %s, which names no database',
    async (url) => {
      const { cwd, shop } = await backedUp()
      const { code, err } = await runIn({ cwd }, 'restore', '--into', url, '--yes')
      expect([code, err]).toEqual([1, expect.stringContaining('does not say which database\n  Nothing was touched.')])
      expect(shop.restored).toEqual([])
    },
  )

  it('restores beside a database that holds data, and says how to go back', async () => {
    const { cwd, shop } = await backedUp()
    const { code, out, err } = await runIn({ cwd }, 'restore', 'latest', '--yes', '--keep-old', '7d')
    expect(code).toBe(0)
    expect(err).toContain('How     restore into a database beside shop, then change places')
    expect(err).toContain('keep the old one as shop__before_<time> for 7d')
    expect(err).toContain('Loses   nothing: what the database holds now (3 tables, 7.63 MiB) can be taken back')
    expect(out).toMatch(/the old database is shop__before_0, to be kept until/)
    expect(out).toContain('holdfast restore undo --into shop')
    expect(out).toContain('holdfast restore cleanup --into shop  (')
    expect(shop.asides).toMatchObject([{ name: 'shop__before_0', keepUntil: expect.any(Date) }])
    const json = await runIn({ cwd }, 'restore', 'latest', '--yes', '--json', '--staged')
    expect(json.json()).toMatchObject({
      mode: 'staged',
      old: { name: 'shop__before_1', keepUntil: expect.any(String) },
    })
    expect((await runIn({ cwd }, 'restore', '--yes', '--keep-old', 'no', '--json')).json()).toMatchObject({
      mode: 'replace',
    })
    expect((await runIn({ cwd }, 'restore', '--yes', '--keep-old', 'soon')).code).toBe(1)
  })

  it('repeats the time to keep for cleanup, where the driver cannot note it', async () => {
    const { cwd, shop } = await backedUp()
    shop.notesTime = false
    const { out } = await runIn({ cwd }, 'restore', '--yes', '--keep-old', '7d')
    expect(out).toContain('holdfast restore cleanup --into shop --keep-old 7d  (')
  })

  it('takes a safety backup first, and looks at assertions before it changes anything', async () => {
    const { cwd, shop } = await backedUp()
    const wrong = await runIn({ cwd }, 'restore', '--yes', '--assert', 'select true', '--assert', 'select 1 = 2')
    expect([wrong.code, wrong.err]).toEqual([6, expect.stringContaining('select 1 = 2: it returned false')])
    expect(wrong.err).toMatch(/: restoring .*\n.*: checking assertions\n/)
    expect(shop.asides).toEqual([])
    const saved = await runIn({ cwd }, 'restore', '--yes', '--json', '--safety-backup', '--assert', 'select true')
    const { safetyBackup } = saved.json() as { safetyBackup: { id: string; job: string } }
    expect([saved.code, safetyBackup.job]).toEqual([0, 'shop'])
    expect((await runIn({ cwd }, 'show', safetyBackup.id)).out).toContain('before the restore of shop of ')
  })

  it('encrypts the safety backup as a backup would be, and reads what its own keys read', async () => {
    const { recipient, identity } = await generateAgeKey()
    const other = await generateAgeKey()
    const encrypt = age({ recipients: recipient, identities: identity.reveal() })
    const { cwd, shop } = fakeProject()
    const jobs = { shop: { source: shop.driver, storages: ['disk'], encrypt } }
    const encrypting = fakeProject({ jobs })
    await runIn({ cwd: encrypting.cwd }, 'backup')
    const env = { BACKUP_AGE_RECIPIENTS: other.recipient }
    const saved = await runIn({ cwd: encrypting.cwd, env }, 'restore', '--yes', '--json', '--safety-backup')
    expect(saved.json()).toMatchObject({ safetyBackup: { cipher: { keyIds: [other.recipient] } } })
    const empty = { BACKUP_AGE_RECIPIENTS: '' }
    await runIn({ cwd: encrypting.cwd }, 'backup')
    const own = await runIn({ cwd: encrypting.cwd, env: empty }, 'restore', '--yes', '--json', '--safety-backup')
    expect(own.json()).toMatchObject({ safetyBackup: { cipher: { keyIds: [recipient] } } })
    await runIn({ cwd }, 'backup')
    const plain = await runIn({ cwd, env: empty }, 'restore', '--yes', '--safety-backup')
    expect([plain.code, plain.err]).toEqual([1, expect.stringContaining('is set, but empty')])
    const files = filesIn(join(cwd, 'disk'))
    expect((await runIn({ cwd, env: empty }, 'backup')).code).toBe(1)
    expect(filesIn(join(cwd, 'disk'))).toEqual(files)
  })

  it('only looks, with --dry-run', async () => {
    const { cwd, shop } = await backedUp()
    const good = await runIn({ cwd }, 'restore', '--dry-run')
    expect([good.code, good.err]).toEqual([0, expect.stringContaining('How     restore into')])
    expect(good.out).toContain('Nothing is in the way')
    shop.findings = {
      problems: [{ message: 'the server lacks hstore', hint: 'Install it.' }],
      warnings: ['the disk is nearly full'],
    }
    const bad = await runIn({ cwd }, 'restore', '--dry-run')
    expect([bad.code, bad.out]).toEqual([
      6,
      'problem: the server lacks hstore\n  Install it.\nwarning: the disk is nearly full\n',
    ])
    const refused = await runIn({ cwd }, 'restore', '--yes')
    expect([refused.code, refused.err]).toEqual([6, expect.stringContaining('the server lacks hstore')])
    expect(shop.restored).toEqual([])
  })

  it('shows what --clean of chosen tables loses', async () => {
    const { cwd } = await backedUp()
    const { err } = await runIn({ cwd }, 'restore', '--clean', '--tables', 'item', '--schema-only')
    expect(err).toContain('What    schema without rows of item')
    expect(err).toContain('Loses   what item holds now')
    expect((await runIn({ cwd }, 'restore', '--clean', '--globals')).err).toContain(
      'everything, and roles of the server',
    )
  })

  it('says that nothing was touched when the database cannot be reached, and ends with 4', async () => {
    const { cwd, shop } = await backedUp()
    shop.failure = new BackupError('source-denied', { message: 'password authentication failed' })
    const { code, err } = await runIn({ cwd }, 'restore', '--yes')
    expect([code, err]).toEqual([
      4,
      expect.stringMatching(/password authentication failed\n {2}Nothing was touched\.\n$/),
    ])
  })

  it.each<[string, string[], RegExp]>([
    ['a backup that is not there', ['restore', 'latset'], /"latset"\n {2}Nothing was touched\. There are/],
    ['a storage that is not there', ['restore', '--from', './nowhere'], /nowhere\n {2}Nothing was touched\. Mount/],
    [
      'a job as a target',
      ['restore', '--into', 'shop'],
      /no URL of a database\n {2}Nothing was touched\. .*its own job/,
    ],
    ['a file that is not there', ['restore', './x.sql', '--into', 'sqlite:x.db'], /x\.sql\n {2}Nothing was touched\./],
    ['what is no dump', ['restore', '-', '--into', 'sqlite:x.db'], /no dump.*\n {2}Nothing was touched\. Known/],
  ])('says that nothing was touched, of %s', async (_, argv, message) => {
    const { cwd } = await backedUp()
    expect((await runIn({ cwd, input: Buffer.from('hello') }, ...argv, '--yes')).err).toMatch(message)
  })

  it('gives each problem its own line of what to do', async () => {
    const { cwd, shop } = await backedUp()
    const problems = [
      { message: 'no right', hint: 'Ask for it.' },
      { message: 'no room', hint: 'Make some.' },
    ]
    shop.findings = { problems, warnings: [] }
    const { err } = await runIn({ cwd }, 'restore', '--yes')
    expect(err).toMatch(/Error: no right; no room\n {2}Nothing was touched\.\n {2}Ask for it\.\n {2}Make some\.\n$/)
  })
})

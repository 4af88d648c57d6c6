import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { age, type DumpSession, generateAgeKey, type JobConfig, keep } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { type FakeDatabase, fakeProject } from '../testing/fake-project.js'
import { filesIn } from '../testing/files.js'
import { tempDirectory } from '../testing/temp-directory.js'
import { runIn } from '../testing/test-world.js'

/** The project of other tests, with more settings for the job of the shop. */
function projectWith(more: Partial<JobConfig>): { cwd: string; shop: FakeDatabase } {
  const project: { cwd: string; shop: FakeDatabase } = fakeProject({
    get jobs(): Record<string, JobConfig> {
      return { shop: { source: project.shop.driver, storages: ['disk', 'offsite'], ...more } }
    },
  })
  return project
}

const manifestsIn = (cwd: string, place: string): number =>
  filesIn(join(cwd, place)).filter((file) => file.endsWith('.manifest.json')).length

async function backUp(cwd: string, times: number, env: Record<string, string> = {}): Promise<void> {
  for (let time = 0; time < times; time++) await runIn({ cwd, env }, 'backup', 'shop')
}

describe('holdfast prune', () => {
  it('shows what would stay and why, and deletes it only when it is no dry run', async () => {
    const { cwd } = projectWith({})
    await backUp(cwd, 2)
    const dry = await runIn({ cwd }, 'prune', '--retention', 'last=1', '--dry-run')
    expect(dry.code).toBe(0)
    expect(dry.out).toMatch(/^shop on disk: last 1\nID +TAKEN +AGE +SIZE +STAYS +BECAUSE\n/)
    expect(dry.out).toMatch(/ keep +last 1 of 1\n.* delete +beyond last 1$/m)
    expect(dry.err).toBe('Nothing was deleted: this was a dry run. 2 backups would go.\n')
    expect(manifestsIn(cwd, 'disk')).toBe(2)
    const { code, out } = await runIn({ cwd }, 'prune', 'shop', '--retention', 'last=1', '--yes')
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^disk: deleted 1 backup, [\d.]+ K?i?B\noffsite: deleted 1 backup, /m),
    ])
    expect([manifestsIn(cwd, 'disk'), manifestsIn(cwd, 'offsite')]).toEqual([1, 1])
    expect((await runIn({ cwd }, 'prune', '--retention', 'last=1')).out).toContain('disk: nothing to delete')
  })

  it('goes by the job, on the storage that was named, and says it to programs', async () => {
    const { cwd } = projectWith({})
    await backUp(cwd, 3)
    const configured = projectWith({ retention: { disk: keep({ last: 2 }), offsite: keep({ last: 1 }) } })
    await backUp(configured.cwd, 1)
    const { code, json } = await runIn({ cwd }, 'prune', '--from', 'offsite', '--retention', 'last=2', '-y', '--json')
    expect(code).toBe(0)
    expect(json()).toMatchObject({
      storages: [
        {
          job: 'shop',
          storage: 'offsite',
          policy: 'last 2',
          deleted: [expect.any(String)],
          decisions: [{}, {}, { keep: false }],
        },
      ],
    })
    expect([manifestsIn(cwd, 'disk'), manifestsIn(cwd, 'offsite')]).toEqual([3, 2])
    const planned = (await runIn({ cwd: configured.cwd }, 'prune', '--from', 'disk', '--json')).json()
    expect(planned).toMatchObject({ storages: [{ storage: 'disk', policy: 'last 2', deleted: [], freedBytes: 0 }] })
  })

  it('leaves a place alone that a command line names, unless it is told what is to stay there', async () => {
    const { cwd } = projectWith({ retention: keep({ last: 1 }) })
    const usb = join(cwd, 'usb')
    for (let time = 0; time < 2; time++) await runIn({ cwd }, 'backup', 'shop', '--to', 'disk', '--to', usb)
    expect([manifestsIn(cwd, 'disk'), manifestsIn(cwd, 'usb')]).toEqual([1, 2])
    const unsaid = await runIn({ cwd }, 'prune', '--from', usb)
    expect([unsaid.code, unsaid.err]).toEqual([
      1,
      expect.stringContaining('It is not said which backups of shop are to stay'),
    ])
    const both = await runIn({ cwd }, 'prune', 'shop', '--from', 'disk', '--from', usb, '--retention', 'last=1', '-y')
    expect([both.code, both.out]).toEqual([0, expect.stringMatching(/^disk: nothing to delete$/m)])
    expect(manifestsIn(cwd, 'usb')).toBe(1)
  })

  it('asks before it deletes by a retention of the command line', async () => {
    const { cwd } = projectWith({})
    await backUp(cwd, 2)
    const alone = await runIn({ cwd }, 'prune', '--retention', 'last=1')
    expect([alone.code, alone.err]).toEqual([
      1,
      expect.stringContaining('2 backups would be deleted, and there is no terminal'),
    ])
    expect((await runIn({ cwd }, 'prune', '--retention', 'last=1', '--force')).code).toBe(1)
    const no = await runIn({ cwd, terminal: true, typed: ['no'] }, 'prune', '--retention', 'last=1')
    expect([no.code, no.err]).toEqual([1, expect.stringContaining('Nothing was deleted')])
    expect(manifestsIn(cwd, 'disk')).toBe(2)
    expect((await runIn({ cwd, terminal: true, typed: ['yes'] }, 'prune', '--retention', 'last=1')).code).toBe(0)
    expect(manifestsIn(cwd, 'disk')).toBe(1)
  })

  it('takes the retention of the environment, also after a backup', async () => {
    const { cwd } = projectWith({})
    await backUp(cwd, 2)
    expect((await runIn({ cwd, env: { BACKUP_RETENTION_DAYS: '30' } }, 'prune')).out).toContain('no older than 30d')
    const { out } = await runIn({ cwd, env: { BACKUP_RETENTION: 'last=1' } }, 'backup', 'shop')
    expect(out).toMatch(/^ {2}disk: deleted 2 old backups, /m)
    expect(manifestsIn(cwd, 'offsite')).toBe(1)
  })

  it('leaves the jobs of others alone, unless the command line says what is to stay of them', async () => {
    const { cwd } = projectWith({})
    await backUp(cwd, 2)
    const { cwd: other } = fakeProject()
    const place = join(cwd, 'disk')
    for (let time = 0; time < 2; time++) await runIn({ cwd: other }, 'backup', 'stock', '--to', place)
    const env = { BACKUP_RETENTION: 'last=1' }
    const own = await runIn({ cwd, env }, 'prune')
    expect([own.code, own.out]).toEqual([0, expect.not.stringContaining('stock')])
    expect(manifestsIn(cwd, 'disk')).toBe(3)
    const noConfig = {
      cwd: tempDirectory('prune'),
      env: { ...env, BACKUP_DIR: place, DATABASE_URL: 'sqlite:./app.db' },
    }
    expect((await runIn(noConfig, 'prune')).out).toMatch(/^default on .*\n {2}there are no backups\n/)
    await runIn({ cwd }, 'prune', '--retention', 'last=1', '--yes')
    expect(manifestsIn(cwd, 'disk')).toBe(2)
  })

  it.each([[[]], [['--retention', 'last=1']]])(
    'names the jobs that there are to whom has mistyped one %j',
    async (how) => {
      const { cwd } = projectWith({})
      await backUp(cwd, 1)
      const { code, err } = await runIn({ cwd }, 'prune', 'shpo', '--from', './disk', ...how)
      expect([code, err]).toEqual([
        8,
        expect.stringMatching(/^Error: There is no job shpo, and no backup of it on .*disk/),
      ])
      expect(err).toContain('There are: shop.')
    },
  )

  it.each<[string, Record<string, string>, string[], string]>([
    ['no retention', {}, [], 'It is not said which backups are to stay; so all of them do'],
    ['an unknown unit', {}, ['--retention', '7x'], '--retention: "7x" is no retention'],
    ['a retention of nothing', { BACKUP_RETENTION: '0d' }, [], 'BACKUP_RETENTION: This retention would keep nothing'],
    ['no number of days', { BACKUP_RETENTION_DAYS: '0' }, [], 'BACKUP_RETENTION_DAYS: "0" is no number of days'],
    [
      'two retentions',
      { BACKUP_RETENTION_DAYS: '9', BACKUP_RETENTION: '9d' },
      [],
      'BACKUP_RETENTION_DAYS are both set',
    ],
  ])('refuses %s and deletes nothing', async (_, env, options, problem) => {
    const { cwd } = projectWith({})
    await backUp(cwd, 2)
    const { code, err } = await runIn({ cwd, env }, 'prune', ...options)
    expect([code, err]).toEqual([1, expect.stringContaining(problem)])
    expect(manifestsIn(cwd, 'disk')).toBe(2)
  })

  it('stops before what is remarkable, until somebody says to go on', async () => {
    const { cwd, shop } = projectWith({ retention: keep({ last: 4 }) })
    await backUp(cwd, 4)
    const { dump } = shop.driver
    const dumpOfNothing: typeof dump = async (request, ctx) => emptied(await dump(request, ctx))
    Object.assign(shop.driver, { dump: dumpOfNothing })
    const small = await runIn({ cwd }, 'backup', 'shop')
    expect(small.err).toMatch(/No old backups were deleted from disk: .*(?:lacks|were usual)/)
    const held = await runIn({ cwd }, 'prune')
    expect([held.code, held.err]).toEqual([9, expect.stringContaining('--force deletes all the same.')])
    const dry = await runIn({ cwd }, 'prune', '--dry-run')
    expect(dry.err).toMatch(/this was a dry run\. 0 backups would go, \d+ held back\.\n$/)
    expect((await runIn({ cwd }, 'prune', '--dry-run', '--force')).err).toMatch(/ [1-9]\d* backups? would go\.\n$/)
    expect((await runIn({ cwd, terminal: true, typed: ['no'] }, 'prune')).code).toBe(9)
    expect(manifestsIn(cwd, 'disk')).toBe(5)
    expect((await runIn({ cwd }, 'prune', '--force')).code).toBe(0)
    expect(manifestsIn(cwd, 'disk')).toBe(4)
  })

  it('asks for what is forced as well', async () => {
    const { cwd, shop } = projectWith({})
    shop.content = randomBytes(20_000)
    await backUp(cwd, 2)
    shop.content = Buffer.from('-')
    await backUp(cwd, 1)
    const forced = await runIn({ cwd }, 'prune', '--retention', 'last=1', '--force')
    expect([forced.code, forced.err]).toEqual([1, expect.stringContaining('there is no terminal')])
    expect(manifestsIn(cwd, 'disk')).toBe(3)
    const yes = await runIn({ cwd, terminal: true, typed: ['yes'] }, 'prune', '--retention', 'last=1', '--force')
    expect([yes.code, manifestsIn(cwd, 'disk')]).toEqual([0, 1])
  })

  it('asks with the number of all that go, also where a hold was lifted', async () => {
    const { cwd, shop } = projectWith({})
    shop.content = randomBytes(20_000)
    for (let time = 0; time < 2; time++) await runIn({ cwd }, 'backup', 'shop', '--to', 'disk')
    shop.content = Buffer.from('-')
    await backUp(cwd, 2)
    const { err } = await runIn({ cwd, terminal: true, typed: ['yes'] }, 'prune', '--retention', 'last=1')
    expect(err).toMatch(/were usual before.*\nType yes to delete all the same: Type yes to delete 4 backups: /)
    expect([manifestsIn(cwd, 'disk'), manifestsIn(cwd, 'offsite')]).toEqual([1, 1])
  })

  it('needs no key that reads backups', async () => {
    const { recipient } = await generateAgeKey()
    const { cwd } = projectWith({ encrypt: age({ recipients: recipient }), retention: keep({ last: 1 }) })
    const first = (await runIn({ cwd }, 'backup', '--json')).json() as { backup: { id: string } }
    expect((await runIn({ cwd }, 'verify', first.backup.id)).code).toBe(0)
    const reading = await runIn({ cwd }, 'download', first.backup.id, '--decrypt', '-o', '-')
    expect([reading.code, reading.err]).toEqual([1, expect.stringContaining('identit')])
    await runIn({ cwd, env: { BACKUP_RETENTION: 'last=2' } }, 'backup')
    expect((await runIn({ cwd }, 'prune', '--dry-run')).out).toMatch(/ keep +newest verified$/m)
    await runIn({ cwd }, 'verify', 'latest')
    expect((await runIn({ cwd }, 'prune')).out).toContain('disk: deleted 1 backup')
    const { backups } = (await runIn({ cwd }, 'list', '--json')).json() as { backups: { id: string }[] }
    expect(backups.map(({ id }) => id)).not.toContain(first.backup.id)
  })
})

/** The same session, but its inventory lacks every table. */
function emptied(session: DumpSession): DumpSession {
  return { ...session, inventory: async () => ({ level: 'counts', exact: true, tables: [] }) }
}

describe('holdfast pin', () => {
  it('keeps a backup that retention would delete, and shows it', async () => {
    const { cwd } = projectWith({})
    await backUp(cwd, 1)
    const pinned = await runIn({ cwd }, 'pin', 'latest')
    expect([pinned.code, pinned.out]).toEqual([0, expect.stringContaining('is pinned: retention never deletes it')])
    await backUp(cwd, 1)
    expect((await runIn({ cwd }, 'list')).out).toMatch(/PINNED\n.*\n.* pinned$/m)
    expect((await runIn({ cwd }, 'show', 'latest~1')).out).toMatch(/^Pinned +yes/m)
    const { out } = await runIn({ cwd }, 'prune', '--retention', 'last=1', '--yes')
    expect(out).toMatch(/ keep +pinned$/m)
    expect((await runIn({ cwd }, 'unpin', 'latest~1')).out).toContain('is left to retention again')
    await runIn({ cwd }, 'prune', '--retention', 'last=1', '--yes')
    expect(manifestsIn(cwd, 'disk')).toBe(1)
  })
})

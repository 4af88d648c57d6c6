import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackupError, type Storage } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { fakeProject } from '../testing/fake-project.js'
import { dataOf, filesIn } from '../testing/files.js'
import { runIn } from '../testing/test-world.js'

describe('holdfast list', () => {
  it('shows copies, ages and sizes', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', '--label', 'first')
    const { code, out } = await runIn({ cwd }, 'list')
    expect(code).toBe(0)
    const [title, stock, shop] = out.split('\n')
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
    const places = `disk (${join(cwd, 'disk')}), offsite (${join(cwd, 'offsite')})`
    const elsewhere = 'If they are elsewhere, say where with --from.'
    expect([code, out, err]).toEqual([0, '', `There are no backups of shop on ${places}. ${elsewhere}\n`])
    expect((await runIn({ cwd }, 'verify')).err).toBe(`Error: There are no backups on ${places}\n  ${elsewhere}\n`)
    await runIn({ cwd }, 'backup', 'stock')
    expect((await runIn({ cwd }, 'list', 'shop')).err).toContain('/offsite). There are backups of: stock.')
  })

  it('tells engines apart where there are several', async () => {
    const { cwd, stock } = fakeProject()
    await runIn({ cwd }, 'backup', 'shop')
    expect((await runIn({ cwd }, 'list')).out).not.toContain('ENGINE')
    Object.assign(stock.driver, { engine: 'other' })
    await runIn({ cwd }, 'backup', 'stock')
    expect((await runIn({ cwd }, 'list')).out).toMatch(/ENGINE(?:.*\n)+.* stock +other .*\n.* shop +fake /)
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

  it('is not alone in telling programs of a storage that cannot be read: verify does', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup')
    rmSync(join(cwd, 'offsite'), { recursive: true })
    writeFileSync(join(cwd, 'offsite'), '')
    const problems = { damaged: [], unreachable: [{ storage: 'offsite', error: { code: expect.any(String) } }] }
    expect((await runIn({ cwd }, 'list', '--json')).json()).toMatchObject(problems)
    const verified = await runIn({ cwd }, 'verify', '--json')
    expect(verified.code).toBe(9)
    expect(verified.json()).toMatchObject({ status: 'unreadable', ...problems })
  })

  it('never calls a copy unverified that was found damaged', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'shop')
    const file = dataOf(join(cwd, 'disk'))
    writeFileSync(file, 'x'.repeat(readFileSync(file).length))
    expect((await runIn({ cwd }, 'verify')).code).toBe(7)
    expect((await runIn({ cwd }, 'list')).out).toMatch(/disk \(corrupt\), offsite +DAMAGED, just now/)
    expect((await runIn({ cwd }, 'list', '--from', 'offsite')).out).toMatch(/ offsite +just now/)
  })

  it('keeps what a name or label holds on its own row', async () => {
    const { cwd } = fakeProject()
    const label = 'x\nffffffff  shop  shop  just now\u202e\u001b[2Kgone\tend'
    await runIn({ cwd }, 'backup', 'stock', '--label', label)
    const { out } = await runIn({ cwd }, 'list')
    expect(out.trimEnd().split('\n')).toHaveLength(2)
    expect(out).toContain('x\\nffffffff  shop  shop  just now\\u202e\\u001b[2Kgone\\tend')
    const shown = (await runIn({ cwd }, 'show', 'latest')).out
    expect(shown).toContain('Label     x\\nffffffff')
    expect((await runIn({ cwd }, 'list', '--json')).json()).toMatchObject({ backups: [{ job: 'stock' }] })
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

describe('a job whose variable is not set on this host', () => {
  const config = `storages: { disk: ./disk }
jobs:
  shop: { source: { env: HOLDFAST_TEST_SHOP_URL }, storages: [disk] }
`
  it('keeps nobody from reading backups', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'shop')
    rmSync(join(cwd, 'holdfast.config.mjs'))
    writeFileSync(join(cwd, 'holdfast.config.yaml'), config)
    for (const argv of [
      ['list'],
      ['show', 'latest'],
      ['verify'],
      ['download', 'latest', '-o', './copy.zst', '--part', 'sql'],
    ]) {
      expect(await runIn({ cwd }, ...argv)).toMatchObject({ code: 0 })
    }
    const { code, err } = await runIn({ cwd }, 'backup', 'shop')
    expect(code).toBe(1)
    expect(err).toContain(
      `${join(cwd, 'holdfast.config.yaml')}: jobs.shop.source: the environment variable HOLDFAST_TEST_SHOP_URL is not set`,
    )
    expect((await runIn({ cwd }, 'restore', 'latest', '--yes')).err).toContain('HOLDFAST_TEST_SHOP_URL')
  })
})

describe('what only reads', () => {
  it.each([['list'], ['show', 'latest'], ['verify'], ['download', 'latest'], ['cat', 'latest'], ['restore', '--yes']])(
    'holdfast %s makes no directory',
    async (...argv) => {
      const { cwd } = fakeProject()
      rmSync(join(cwd, 'holdfast.config.mjs'))
      const named = await runIn({ cwd }, ...argv, '--from', './backpus')
      expect([named.code, named.err]).toEqual([
        3,
        expect.stringContaining(`There is no directory ${join(cwd, 'backpus')}`),
      ])
      expect((await runIn({ cwd }, ...argv, '--from', `file://${cwd}/backpus`)).code).toBe(3)
      expect((await runIn({ cwd, env: { BACKUP_DIR: 'data' } }, ...argv)).code).toBe(3)
      const unsaid = await runIn({ cwd }, ...argv)
      expect([unsaid.code, unsaid.err]).toEqual([3, expect.stringMatching(/not said where the backups are.*--from/s)])
      expect(readdirSync(cwd)).toEqual([])
    },
  )
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

  it('goes on after a copy that cannot be read, and exits with 9', async () => {
    let failing = true
    const wrap = (storage: Storage): Storage => ({
      ...storage,
      async *get(key, range, ctx) {
        const broken = failing && key.startsWith('stock/') && !key.endsWith('.json')
        if (broken) throw new BackupError('unavailable', { message: 'the disk is away' })
        yield* storage.get(key, range, ctx)
      },
    })
    const { cwd } = fakeProject({}, wrap)
    await runIn({ cwd }, 'backup')
    const text = await runIn({ cwd }, 'verify')
    expect(text.code).toBe(9)
    expect(text.out).toMatch(/of stock is not readable everywhere .*\n +disk +unreadable: the disk is away/)
    expect(text.out).toMatch(/of shop is intact/)
    expect(text.out).toContain('1 of 2 backups are intact')
    const { code, json } = await runIn({ cwd }, 'verify', '--json')
    const { status, backups } = json() as { status: string; backups: { job: string; copies: object[] }[] }
    expect([code, status]).toEqual([9, 'unreadable'])
    expect(backups.find(({ job }) => job === 'stock')?.copies).toEqual([
      {
        storage: 'disk',
        status: 'unreadable',
        problem: 'the disk is away',
        error: { code: 'unavailable', message: 'the disk is away' },
      },
    ])
    const damaged = dataOf(join(cwd, 'offsite'))
    writeFileSync(damaged, 'x'.repeat(readFileSync(damaged).length))
    expect((await runIn({ cwd }, 'verify')).code).toBe(7)
    failing = false
    expect((await runIn({ cwd }, 'verify', 'stock', '--from', 'disk')).code).toBe(0)
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

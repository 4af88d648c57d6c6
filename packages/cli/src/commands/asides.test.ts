import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackupError } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { fakeProject } from '../testing/fake-project.js'
import { tempDirectory } from '../testing/temp-directory.js'
import { runIn } from '../testing/test-world.js'

const day = 86_400_000
const old = { name: 'shop__before_old', kind: 'replaced', since: new Date(Date.now() - 3 * day) } as const
const young = { name: 'shop__before_young', kind: 'replaced', since: new Date() } as const
const half = { name: 'shop__holdfast_half', kind: 'unfinished', since: new Date(Date.now() - 2 * day) } as const

describe('holdfast restore undo', () => {
  it('takes back what was replaced last, or what is named', async () => {
    const { cwd, shop } = fakeProject()
    shop.asides = [half, young, old]
    const last = await runIn({ cwd, terminal: true, typed: ['yes'] }, 'restore', 'undo', '--into', 'shop')
    expect(last.err).toMatch(/shop__before_young \(replaced .*\) takes the name shop again/)
    expect([last.code, last.out]).toEqual([
      0,
      expect.stringMatching(/shop__before_young is back .* now shop__before_2/),
    ])
    const named = await runIn({ cwd }, 'restore', 'undo', old.name, '--into', 'shop', '--yes', '--json')
    expect(named.json()).toMatchObject({ status: 'restored', name: old.name, target: 'fake.example/shop' })
    expect(shop.asides.map(({ name }) => name)).toEqual(expect.not.arrayContaining([old.name, young.name]))
  })

  it('does nothing unasked, and says where there is nothing', async () => {
    const { cwd, shop } = fakeProject()
    shop.asides = [young]
    expect((await runIn({ cwd }, 'restore', 'undo', '--into', 'shop')).code).toBe(1)
    expect(shop.asides).toEqual([young])
    shop.asides = [half]
    const nothing = await runIn({ cwd }, 'restore', 'undo', '--into', 'shop', '--yes')
    expect([nothing.code, nothing.err]).toEqual([8, expect.stringContaining('Nothing that was replaced')])
    expect((await runIn({ cwd }, 'restore', 'undo', 'gone', '--into', 'shop', '--yes')).code).toBe(8)
    expect((await runIn({ cwd }, 'restore', 'undo', '--yes')).err).toContain('not said of which database')
    expect((await runIn({ cwd }, 'restore', 'undo', '--into', 'shoq', '--yes')).code).toBe(8)
  })
})

describe('a job and a database that are taken for each other', () => {
  it('undo is told what it takes, and lists what there is', async () => {
    const { cwd, shop } = fakeProject()
    shop.asides = [young, half, old]
    const ofJob = await runIn({ cwd }, 'restore', 'undo', 'shop', '--yes')
    expect([ofJob.code, ofJob.err]).toEqual([8, expect.stringContaining('put aside, and "shop" is a job')])
    expect(ofJob.err).toContain('--into shop takes back')
    expect(ofJob.err).toContain('There are: shop__before_young, shop__before_old.')
    const none = await runIn({ cwd }, 'restore', 'undo', 'stock', '--yes')
    expect([none.code, none.err]).toEqual([8, expect.stringContaining('There is none.')])
    const url = await runIn({ cwd }, 'restore', 'undo', 'postgres://u@h/shop', '--yes')
    expect([url.code, url.err]).toEqual([8, expect.stringContaining('Give the URL with --into')])
    const unsaid = await runIn({ cwd }, 'restore', 'undo', old.name, '--yes')
    expect([unsaid.code, unsaid.err]).toEqual([1, expect.stringContaining('--into with a job (shop, stock)')])
    expect(shop.asides).toEqual([young, half, old])
  })

  it('--into is told what a database is that is no job', async () => {
    const { cwd, shop, stock } = fakeProject()
    stock.asides = [old]
    shop.failure = new BackupError('source-unreachable', { message: 'nobody answers' })
    const aside = await runIn({ cwd }, 'restore', 'undo', '--into', old.name, '--yes')
    expect([aside.code, aside.err]).toEqual([8, expect.stringContaining(`undo ${old.name} --into stock. Name shop`)])
    const other = fakeProject({ jobs: { nightly: { source: stock.driver, storages: ['disk'] } } })
    const database = await runIn({ cwd: other.cwd }, 'restore', 'cleanup', '--into', 'stock')
    expect([database.code, database.err]).toEqual([8, expect.stringContaining('database of the job nightly')])
  })
})

it('a database that is named by a URL without slashes is one, as restore prints it', async () => {
  const cwd = tempDirectory('asides')
  writeFileSync(join(cwd, 'app.db'), '')
  for (const into of ['sqlite:app.db', `sqlite:${cwd}/app.db`]) {
    const { out, code } = await runIn({ cwd }, 'restore', 'cleanup', '--into', into)
    expect([code, out]).toEqual([0, expect.stringContaining('No restore has left anything')])
  }
})

describe('holdfast restore cleanup', () => {
  it('drops what is older than a day, beside the databases of all jobs', async () => {
    const { cwd, shop, stock } = fakeProject()
    shop.asides = [young, half, old]
    stock.asides = [old]
    const { code, out } = await runIn({ cwd }, 'restore', 'cleanup')
    expect(code).toBe(0)
    expect(out).toMatch(/dropped shop__holdfast_half \(an unfinished restore/)
    expect(out).toMatch(/kept {4}shop__before_young .* until \d{4}-.*--all/)
    expect([shop.asides, stock.asides]).toEqual([[young], []])
  })

  it('drops what is over the time that its restore was told', async () => {
    const { cwd, shop } = fakeProject()
    shop.asides = [
      { ...young, keepUntil: new Date(Date.now() - 1) },
      { ...old, keepUntil: new Date(Date.now() + day) },
    ]
    const { out } = await runIn({ cwd }, 'restore', 'cleanup', '--into', 'shop')
    expect(out).toMatch(/dropped shop__before_young .*\nkept {4}shop__before_old .* until /)
  })

  it('lists once what two jobs know under two names of its server', async () => {
    const { shop, stock } = fakeProject()
    stock.asides = shop.asides = [young, old]
    const jobs = {
      shop: { source: shop.driver, storages: ['disk'] },
      alias: { source: stock.driver, storages: ['disk'] },
    }
    const { cwd } = fakeProject({ jobs })
    const { err } = await runIn({ cwd }, 'restore', 'cleanup', '--all')
    expect(err.match(/shop__before_young .* will be dropped/g)).toHaveLength(1)
    const { out } = await runIn({ cwd }, 'restore', 'cleanup')
    expect(out.trim().split('\n')).toEqual([
      expect.stringMatching(/^dropped .*old/),
      expect.stringMatching(/^kept .*young/),
    ])
  })

  it('goes on with other databases where a server cannot be asked, and fails in the end', async () => {
    const { cwd, shop, stock } = fakeProject()
    shop.failure = new BackupError('source-unreachable', { message: 'nobody answers', hint: 'Start the server.' })
    stock.asides = [old]
    const { code, out, err } = await runIn({ cwd }, 'restore', 'cleanup')
    expect(out).toMatch(/^dropped shop__before_old/)
    expect(err).toContain('beside fake.example/shop is not known: nobody answers\n  Start the server.')
    expect([code, stock.asides]).toEqual([4, []])
    stock.asides = [young]
    const all = await runIn({ cwd }, 'restore', 'cleanup', '--all', '--yes', '--json')
    expect(all.json()).toMatchObject({
      dropped: [{ name: young.name }],
      unreachable: [{ target: 'fake.example/shop', error: { code: 'source-unreachable' } }],
    })
    expect([all.code, stock.asides]).toEqual([4, []])
    const alone = await runIn({ cwd }, 'restore', 'cleanup', '--into', 'shop')
    expect([alone.code, alone.out]).toEqual([4, ''])
  })

  it('drops nothing that came while somebody thought about what was shown', async () => {
    const { cwd, shop } = fakeProject()
    shop.asides = [old]
    const list = shop.driver.asides?.bind(shop.driver)
    let looks = 0
    shop.driver.asides = async (ctx) => {
      if (++looks === 2) shop.asides.unshift(young)
      return (await list?.(ctx)) ?? []
    }
    const all = await runIn({ cwd, terminal: true, typed: ['yes'] }, 'restore', 'cleanup', '--into', 'shop', '--all')
    expect(all.out).toMatch(
      /dropped shop__before_old .*\nkept {4}shop__before_young \(.*\): it was put aside meanwhile, .*the same command offers it next\n$/,
    )
    expect(all.out).not.toMatch(/until|--all/)
    expect(shop.asides).toEqual([young])
    const again = await runIn({ cwd, terminal: true, typed: ['yes'] }, 'restore', 'cleanup', '--into', 'shop', '--all')
    expect(again.err).toMatch(/shop__before_young .* will be dropped/)
    expect(shop.asides).toEqual([])
  })

  it('says what to do about what could not be dropped', async () => {
    const { cwd, shop } = fakeProject()
    const error = new BackupError('target-in-use', { message: 'somebody is in it', hint: 'Stop what uses it.' })
    shop.driver.asides = async () => [{ ...old, sizeBytes: 1, drop: () => Promise.reject(error) }]
    const { code, out } = await runIn({ cwd }, 'restore', 'cleanup', '--into', 'shop')
    expect([code, out]).toEqual([
      6,
      expect.stringMatching(/^failed {2}shop__before_old .*: somebody is in it\n {2}Stop/),
    ])
    const json = await runIn({ cwd }, 'restore', 'cleanup', '--into', 'shop', '--json')
    expect(json.json()).toMatchObject({
      failed: [{ name: old.name, error: { code: 'target-in-use', hint: error.hint } }],
    })
  })

  it('keeps what is younger than it was told, unless it is to drop all', async () => {
    const { cwd, shop } = fakeProject()
    shop.asides = [young, old]
    expect((await runIn({ cwd }, 'restore', 'cleanup', '--into', 'shop', '--keep-old', '7d')).code).toBe(0)
    expect(shop.asides).toEqual([young, old])
    const unsure = await runIn({ cwd }, 'restore', 'cleanup', '--into', 'shop', '--all')
    expect([unsure.code, unsure.err]).toEqual([1, expect.stringMatching(/shop__before_young .* will be dropped/)])
    const all = await runIn({ cwd }, 'restore', 'cleanup', '--into', 'shop', '--all', '--yes', '--json')
    expect(all.json()).toMatchObject({ dropped: [{ name: young.name }, { name: old.name }], kept: [], failed: [] })
    expect((await runIn({ cwd }, 'restore', 'cleanup', '--into', 'shop')).out).toContain('No restore has left anything')
  })
})

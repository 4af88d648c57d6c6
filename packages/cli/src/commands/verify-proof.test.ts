import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Driver } from '@holdfast/core'
import { memoryDriver } from '@holdfast/core/testing'
import { describe, expect, it } from 'vitest'
import { fakeProject } from '../testing/fake-project.js'
import { runIn } from '../testing/test-world.js'

/** A project whose one job can be restored for a test; `content` is what its database holds. */
function project(verify: object = {}): { cwd: string } {
  const source = memoryDriver({
    name: 'shop',
    database: { content: Buffer.from('= rows of orders (id)\n1\n2'), beside: new Map() },
  })
  return fakeProject({ jobs: { shop: { source, storages: ['disk'], verify } } })
}

describe('holdfast verify --test-restore', () => {
  it('says that a backup is proven, and list and show say so too', async () => {
    const { cwd } = project()
    await runIn({ cwd }, 'backup')
    const { code, out } = await runIn({ cwd }, 'verify', '--test-restore')
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(
        /is intact.*proven: restored into a scratch database beside memory:shop.*1 section compared/s,
      ),
    ])
    expect((await runIn({ cwd }, 'list')).out).toContain('just now, restored')
    expect((await runIn({ cwd }, 'show', 'latest')).out).toMatch(/Tested .*proven/)
  })

  it('takes the programs of the job, which only a URL can have elsewhere', async () => {
    const { cwd } = project()
    await runIn({ cwd }, 'backup')
    const { code, err } = await runIn({ cwd }, 'verify', '--test-restore', '--bin-dir', '/nowhere')
    expect([code, err]).toEqual([1, expect.stringContaining('--bin-dir goes with a URL')])
    expect((await runIn({ cwd }, 'verify', '--bin-dir', '/nowhere')).code).toBe(0) // no program is needed for it
  })

  it('says what a URL lacks that names no database', async () => {
    const { cwd } = project()
    await runIn({ cwd }, 'backup')
    const { code, err } = await runIn({ cwd }, 'verify', '--test-restore', '--on', 'mysql://u@h/')
    expect([code, err]).toEqual([1, expect.stringContaining('names no database')])
  })

  it('ends with 7 where an assertion does not hold, which is no difference', async () => {
    const assertions = [
      function nobodyOrders() {
        return false
      },
    ]
    const { cwd } = project({ testRestore: { assertions } })
    await runIn({ cwd }, 'backup')
    const { code, out } = await runIn({ cwd }, 'verify', 'latest', '--test-restore')
    expect([code, out]).toEqual([
      7,
      expect.stringMatching(/not as it was asserted.*does not hold: nobodyOrders: it gave/s),
    ])
    expect(out).toContain('1 assertion failed, but it came back as it was dumped')
    expect(out).not.toMatch(/differs/i)
    expect((await runIn({ cwd }, 'list')).out).toContain('ASSERTION FAILED, just now')
    const found = await runIn({ cwd }, 'verify', 'latest', '--test-restore', '--json')
    const test = { status: 'assertion-failed', differences: [], failedAssertions: [{ assertion: 'nobodyOrders' }] }
    expect(found.json()).toMatchObject({ status: 'assertion-failed', backups: [{ status: 'assertion-failed', test }] })
  })

  it('ends with 7 where something differs, and nothing takes that backup for good afterwards', async () => {
    const database = { content: Buffer.from('= rows of orders (id)\n1\n2'), beside: new Map() }
    const source = memoryDriver({ name: 'shop', database })
    const on: Driver = {
      ...source,
      async scratch(options, ctx) {
        const made = await memoryDriver({ name: 'shop', database: { ...database, beside: new Map() } }).scratch!(
          options,
          ctx,
        )
        const restore: Driver['restore'] = async (from, request, using) => {
          const { driver } = made
          const report = await driver.restore(from, request, using)
          await driver.restore(
            { ...from, open: () => Readable.from([Buffer.from('= rows of orders (id)\n1\n3')]) },
            { mode: 'clean' },
            using,
          )
          return report
        }
        return { ...made, driver: { ...made.driver, restore } }
      },
    }
    const { cwd } = fakeProject({ jobs: { shop: { source, storages: ['disk'], verify: { testRestore: { on } } } } })
    await runIn({ cwd }, 'backup')
    const [good] = ((await runIn({ cwd }, 'list', '--json')).json() as { backups: { shortId: string }[] }).backups
    await runIn({ cwd }, 'backup')
    const { code, out } = await runIn({ cwd }, 'verify', 'latest', '--test-restore')
    expect([code, out]).toEqual([7, expect.stringMatching(/NOT PROVEN.*differs: rows of orders: row 2/s)])
    expect((await runIn({ cwd }, 'list')).out).toContain('DIFFERS, just now')
    expect((await runIn({ cwd }, 'show', 'latest')).out).toContain('complete, but DIFFERS')
    expect((await runIn({ cwd }, 'doctor', 'shop')).out).toContain('its test restore says DIFFERS')
    const restored = await runIn({ cwd }, 'restore', 'latest', '--dry-run')
    expect(restored.err).toContain(`Backup  ${good?.shortId} of shop`)
    expect(restored.err).toMatch(/Passed over a newer one. Backup shop_.* did not come back as it was dumped/)
    await runIn({ cwd }, 'verify', good?.shortId ?? '', '--test-restore')
    const doubtful = await runIn({ cwd }, 'restore', 'latest', '--dry-run')
    expect(doubtful.err).toContain('Tested  DIFFERS, just now')
    expect(doubtful.out).toMatch(/warning: Backup shop_.* did not come back as it was dumped/)
  })

  it('does not pass over a job none of whose backups is whole', async () => {
    const { cwd } = project()
    await runIn({ cwd }, 'backup')
    await runIn({ cwd }, 'backup')
    const disk = join(cwd, 'disk')
    for (const file of readdirSync(disk, { recursive: true }).map(String)) {
      if (/\.dump\b/.test(file)) writeFileSync(join(disk, file), 'damaged')
    }
    expect((await runIn({ cwd }, 'verify', '--all')).code).toBe(7)
    const { code, json } = await runIn({ cwd }, 'verify', '--test-restore', '--json')
    expect([code, json()]).toEqual([7, expect.objectContaining({ status: 'corrupt' })])
  })

  it('does what is due where no backup is named, and everything with --all', async () => {
    const { cwd } = project({ scrub: 'weekly', testRestore: 'monthly' })
    await runIn({ cwd }, 'backup')
    expect((await runIn({ cwd }, 'verify')).out).toContain('proven')
    const later = await runIn({ cwd }, 'verify')
    expect([later.code, later.out]).toEqual([0, expect.stringContaining('Nothing is to be verified now')])
    expect((await runIn({ cwd }, 'verify', '--all')).out).toContain('is intact')
  })
})

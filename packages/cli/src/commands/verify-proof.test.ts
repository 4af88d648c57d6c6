import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
      expect.stringMatching(/is intact.*proven: restored on memory:shop.*1 sections compared/s),
    ])
    expect((await runIn({ cwd }, 'list')).out).toContain('just now, restored')
    expect((await runIn({ cwd }, 'show', 'latest')).out).toMatch(/Tested .*proven/)
  })

  it('ends with 7 where something differs, and names it', async () => {
    const assertions = [
      function nobodyOrders() {
        return false
      },
    ]
    const { cwd } = project({ testRestore: { assertions } })
    await runIn({ cwd }, 'backup')
    const { code, out } = await runIn({ cwd }, 'verify', 'latest', '--test-restore')
    expect([code, out]).toEqual([7, expect.stringContaining('differs: assertion nobodyOrders: it gave false')])
    expect((await runIn({ cwd }, 'list')).out).toContain('DIFFERS, just now')
    const found = await runIn({ cwd }, 'verify', 'latest', '--test-restore', '--json')
    expect(found.json()).toMatchObject({ status: 'corrupt', backups: [{ test: { status: 'differs' } }] })
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

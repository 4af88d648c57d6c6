import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { fakeProject } from '../testing/fake-project.js'
import { filesIn } from '../testing/files.js'
import { tempDirectory } from '../testing/temp-directory.js'
import { runIn } from '../testing/test-world.js'
import { checkKnownStorages, commandCatalog, knownStoragesFile } from './known-storages.js'

const temp = (): string => tempDirectory('state')

describe('the guard against a volume that is not mounted', () => {
  it('holds from one command to the next, until the place is forgotten', async () => {
    const { cwd } = fakeProject()
    const env = { XDG_STATE_HOME: temp() }
    expect((await runIn({ cwd, env }, 'backup', 'stock')).code).toBe(0)
    expect((await runIn({ cwd, env }, 'backup', 'stock')).code).toBe(0)
    rmSync(join(cwd, 'disk'), { recursive: true })
    mkdirSync(join(cwd, 'disk'))
    const refused = await runIn({ cwd, env }, 'backup', 'stock')
    expect([refused.code, refused.err]).toEqual([3, expect.stringMatching(/has lost .*\n.*mounted.*storage forget/)])
    expect(filesIn(join(cwd, 'disk'))).toEqual([])
    const forgotten = await runIn({ cwd, env }, 'storage', 'forget', 'disk')
    expect([forgotten.code, forgotten.out]).toEqual([0, expect.stringContaining(`${join(cwd, 'disk')} is forgotten`)])
    expect((await runIn({ cwd, env }, 'storage', 'forget', './disk')).code).toBe(8)
    expect((await runIn({ cwd, env }, 'backup', 'stock')).code).toBe(0)
    expect((await runIn({ cwd, env }, 'doctor')).out).toContain(`storages are remembered in ${env.XDG_STATE_HOME}`)
  })

  it.each([
    ['list', 9],
    ['list --from disk', 3],
    ['show latest --from disk', 3],
    ['verify latest --from disk', 3],
    ['cat latest --from disk', 3],
    ['prune stock --retention last=1 --dry-run --storage disk', 3],
    ['doctor', 3],
    ['storage check disk', 3],
  ])('holds for %s, which reads: it takes nothing for no backups, and makes nothing', async (command, code) => {
    const { cwd } = fakeProject()
    const env = { XDG_STATE_HOME: temp() }
    expect((await runIn({ cwd, env }, 'backup')).code).toBe(0)
    rmSync(join(cwd, 'disk'), { recursive: true })
    mkdirSync(join(cwd, 'disk'))
    const { err, out, ...gone } = await runIn({ cwd, env }, ...command.split(' '))
    expect([gone.code, `${err}${out}`]).toEqual([
      code,
      expect.stringMatching(/has lost .*\n.*mounted.*storage forget/s),
    ])
    expect(filesIn(join(cwd, 'disk'))).toEqual([])
  })

  it('goes by places, not by names that mean another place in another project', async () => {
    const env = { XDG_STATE_HOME: temp() }
    for (const { cwd } of [fakeProject(), fakeProject()]) expect((await runIn({ cwd, env }, 'backup')).code).toBe(0)
    const file = join(env.XDG_STATE_HOME, 'holdfast/storages.json')
    expect(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { storages: object }).storages)).toHaveLength(4)
    expect([statSync(file).mode & 0o777, readdirSync(join(env.XDG_STATE_HOME, 'holdfast'))]).toEqual([
      0o600,
      ['storages.json'],
    ])
  })

  it('is missed by nobody where nothing can be remembered', async () => {
    const { cwd } = fakeProject()
    const blocked = join(temp(), 'a-file')
    writeFileSync(blocked, '')
    const env = { XDG_STATE_HOME: blocked }
    const { code, err } = await runIn({ cwd, env }, 'backup', 'stock')
    expect([code, err]).toEqual([0, expect.not.stringContaining('Warning')])
    expect((await runIn({ cwd, env }, 'doctor')).out).toMatch(/note .*storages cannot be remembered/)
  })

  it('survives a file that something else wrote', async () => {
    const { cwd } = fakeProject()
    const env = { XDG_STATE_HOME: temp() }
    mkdirSync(join(env.XDG_STATE_HOME, 'holdfast'))
    writeFileSync(join(env.XDG_STATE_HOME, 'holdfast/storages.json'), '[]')
    const { code, err } = await runIn({ cwd, env }, 'backup', 'stock')
    expect([code, err]).toEqual([0, expect.stringContaining('storages.json cannot be read')])
    expect((await runIn({ cwd, env }, 'backup', 'stock')).err).not.toContain('cannot be read')
  })
})

describe('the file of known storages', () => {
  it.each([
    [{}, undefined],
    [{ HOME: '/home/u' }, '/home/u/.local/state/holdfast/storages.json'],
    [{ HOME: '/home/u', XDG_STATE_HOME: '/s' }, '/s/holdfast/storages.json'],
    [{ XDG_STATE_HOME: '/s', DATABASE_PATH: 'data/db/holdfast.db' }, '/srv/data/db/storages.json'],
  ])('with %j is %s', (env, expected) => {
    expect(knownStoragesFile({ env, cwd: '/srv' })).toBe(expected)
  })

  it('forgets the places that were used longest ago', async () => {
    const env = { XDG_STATE_HOME: temp() }
    const file = knownStoragesFile({ env, cwd: '/' }) ?? ''
    const storages = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`/${n}`, { id: `${n}`, since: '' }]))
    mkdirSync(join(env.XDG_STATE_HOME, 'holdfast'))
    writeFileSync(file, JSON.stringify({ formatVersion: 1, storages }))
    const catalog = commandCatalog({ env, cwd: '/' }, {}, silentLogger)
    await catalog.rememberStorageIdentity('/new', 'n')
    expect(await catalog.storageIdentity('/0')).toBeUndefined()
    expect(await catalog.storageIdentity('/1')).toBe('1')
    expect(await catalog.storageIdentity('/new')).toBe('n')
    expect(checkKnownStorages(file, silentLogger)).toBeUndefined()
  })
})

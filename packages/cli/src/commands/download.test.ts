import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateAgeKey } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { fakeProject } from '../testing/fake-project.js'
import { dataOf } from '../testing/files.js'
import { runIn } from '../testing/test-world.js'

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

  it('says that a key changes nothing about bytes as stored', async () => {
    const { cwd } = await backedUp()
    writeFileSync(join(cwd, 'key.txt'), (await generateAgeKey()).identity.reveal())
    const argv = ['download', 'latest', '-o', 'shop.sql', '--force', '--identity', 'key.txt']
    expect((await runIn({ cwd }, ...argv)).err).toContain('Warning: The key is not used: without --decrypt')
    expect((await runIn({ cwd }, ...argv, '--decrypt')).err).toBe('')
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
    ['a new directory', ['download', 'latest', '-o', 'new/'], 1, /There is no directory .*\/new\n.*leave the slash/],
    [
      'a file as a directory',
      ['download', 'latest', '-o', 'holdfast.config.mjs/'],
      1,
      /holdfast\.config\.mjs is a file, and -o holdfast\.config\.mjs\/ means a directory/,
    ],
    ['a file on the way', ['download', 'latest', '-o', 'holdfast.config.mjs/x'], 1, /There is no directory/],
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
    expect(json).toMatchObject({ status: 'copied', to: ['./fourth'], copies: [{ storage: './fourth', copied: true }] })
    const again = ['copy', 'latest', '--to', './fourth']
    expect((await runIn({ cwd }, ...again)).out).toContain('of stock is on ./fourth already; nothing was done')
    expect((await runIn({ cwd }, ...again, '--json')).json()).toMatchObject({ status: 'unchanged' })
  })

  it('takes the latest of --from, not of where it goes to', async () => {
    const { cwd } = fakeProject()
    await runIn({ cwd }, 'backup', 'shop', '--to', './third')
    await runIn({ cwd }, 'backup', 'shop', '--to', './fourth')
    const { backups } = (await runIn({ cwd }, 'list', '--from', './third', '--json')).json() as {
      backups: { id: string }[]
    }
    const copied = (await runIn({ cwd }, 'copy', 'latest', '--from', './third', '--to', './fourth', '--json')).json()
    expect(copied).toMatchObject({ status: 'copied', id: backups[0]?.id })
  })

  it('exits with 8 where there is nothing to copy', async () => {
    expect((await runIn({ cwd: fakeProject().cwd }, 'copy', 'latest', '--to', './x')).code).toBe(8)
  })
})

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fakeProject } from '../testing/fake-project.js'
import { runIn } from '../testing/test-world.js'
import { namesFile } from './named-file.js'

describe('what names a file', () => {
  const { cwd } = fakeProject()
  writeFileSync(join(cwd, 'shop.sql'), '')
  writeFileSync(join(cwd, 'shop'), '')
  mkdirSync(join(cwd, 'old.sql'))
  it.each<[string | undefined, boolean]>([
    ['-', true],
    ['./shop', true],
    ['/srv/x.dump', true],
    ['s3://acme/x', true],
    ['file:///srv/x', true],
    ['shop.sql', true],
    ['shop', false], // a job may be called that
    ['old.sql', false],
    ['nowhere.sql', false],
    ['latest~1', false],
    ['0a1b2c3d', false],
    [undefined, false],
  ])('%s: %s', (argument, expected) => {
    expect(namesFile(argument, { cwd })).toBe(expected)
  })

  it('is a plain name no longer once storages are named', () => {
    expect(['shop.sql', './shop.sql', '-'].map((name) => namesFile(name, { cwd }, ['./b']))).toEqual([
      false,
      true,
      true,
    ])
  })
})

describe('holdfast restore FILE', () => {
  const into = ['--into', 'postgres://u@127.0.0.1:1/x', '--yes']
  it.each<[string, string[], object, number, RegExp]>([
    ['without a target', ['./shop.sql', '--yes'], {}, 1, /into which database/],
    ['a file that is not there', ['./nowhere.sql', ...into], {}, 8, /There is no file .*nowhere\.sql/],
    ['a directory', ['./', ...into], {}, 6, /is a directory\n.*--from/],
    ['a terminal', ['-', ...into], { terminal: true }, 1, /Standard input is a terminal/],
    ['what is no dump', ['-', ...into], { input: Buffer.from('hello') }, 6, /standard input is no dump .*\n.*pg_dump/],
    ['a storage that is not known', ['tape://x/y', ...into], {}, 3, /No storage here answers to tape/],
    ['a URL of a file that cannot be read', ['file:///srv/100%.dump', ...into], {}, 1, /wrong percent-encoding\n.*%25/],
    ['a URL of an object that cannot be read', ['s3://acme/100%.dump', ...into], {}, 1, /wrong percent-encoding/],
    ['a dump of another engine', ['-', ...into], { input: Buffer.from('SQLite format 3\0') }, 6, /of sqlite/],
  ])('refuses %s', async (_, argv, world, code, message) => {
    const { cwd } = fakeProject()
    const result = await runIn({ cwd, ...world }, 'restore', ...argv)
    expect(result.err).toMatch(message)
    expect(result.code).toBe(code)
  })

  it('with --dry-run shows what is in the way, and what to do about it', async () => {
    const { cwd } = fakeProject()
    const given = { cwd, input: Buffer.from('SQLite format 3\0') }
    const { code, out } = await runIn(given, 'restore', '-', '--into', 'sqlite:new.db', '--append', '--dry-run')
    expect([code, out]).toEqual([6, expect.stringMatching(/Problem .* cannot be appended.*\n +Restore it beside/)])
  })
})

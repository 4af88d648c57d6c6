import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHoldfast, type Holdfast, type RestoreOptions } from '@holdfast/core'
import { memoryStorage } from '@holdfast/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeDatabase } from '../test/nasty.js'
import { sqlite } from './driver.js'

const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
const app = join(directory, 'app.db')
let holdfast: Holdfast
beforeAll(async () => {
  makeDatabase(app)
  holdfast = createHoldfast({ jobs: { app: { source: sqlite({ path: app }), storages: [memoryStorage()] } } })
  await holdfast.backup('app')
})
afterAll(async () => {
  await holdfast[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

describe('the preview of a restore', () => {
  it.each<[string, RestoreOptions, RegExp]>([
    ['append', { mode: 'append' }, /cannot be appended/],
    ['append of a table', { mode: 'append', tables: ['big'] }, /cannot be appended/],
    ['a chosen table', { mode: 'clean', tables: ['big'] }, /restored as a whole/],
    ['the schema alone', { mode: 'clean', sections: 'schema' }, /restored as a whole/],
    ['clean, without a target', { mode: 'clean', into: sqlite({ path: join(directory, 'none.db') }) }, /no database/],
    ['create, without its directory', { into: sqlite({ path: join(directory, 'none/x.db') }) }, /No file can be made/],
  ])('refuses what the restore refuses: %s', async (_, options, message) => {
    const before = readFileSync(app)
    const { problems } = await holdfast.previewRestore('app', options)
    expect(problems.map((problem) => problem.message).join('; ')).toMatch(message)
    const code = expect.stringMatching(/^(restore-refused|source-missing)$/)
    const restoring = holdfast.restore('app', options)
    await expect(restoring).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(readFileSync(app).equals(before)).toBe(true)
  })

  it.each<[string, RestoreOptions]>([
    ['staged', {}],
    ['replace', { mode: 'replace' }],
    ['clean', { mode: 'clean' }],
    ['create', { into: sqlite({ path: join(directory, 'new.db') }) }],
  ])('finds nothing where a restore works: %s', async (_, options) => {
    expect((await holdfast.previewRestore('app', options)).problems).toEqual([])
    await holdfast.restore('app', options)
  })

  it('says that more jobs change nothing, as the restore does', async () => {
    const changesNothing = [expect.stringContaining('jobs changes nothing')]
    const options = { into: sqlite({ path: join(directory, 'jobs.db') }), jobs: 4 }
    expect((await holdfast.previewRestore('app', options)).warnings).toEqual(changesNothing)
    expect((await holdfast.restore('app', options)).warnings).toEqual(changesNothing)
    const again = { ...options, mode: 'clean', jobs: 1 } as const
    expect((await holdfast.previewRestore('app', again)).warnings).toEqual([])
    expect((await holdfast.restore('app', again)).warnings).toEqual([])
  })

  it('says that a staged restore has no room', async () => {
    const full = join(directory, 'full')
    mkdirSync(full)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', full])
    try {
      copyFileSync(app, join(full, 'app.db'))
      const into = sqlite({ path: join(full, 'app.db') })
      expect((await holdfast.previewRestore('app', { into, mode: 'clean' })).problems).toEqual([])
      writeFileSync(join(full, 'other'), Buffer.alloc(2 * 1024 * 1024))
      const { problems } = await holdfast.previewRestore('app', { into })
      expect(problems).toMatchObject([{ message: expect.stringMatching(/has room for \d+ bytes/) }])
    } finally {
      execFileSync('umount', [full])
    }
  })
})
